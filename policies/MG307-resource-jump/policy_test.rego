package mergegate.policies.mg307_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg307

with_memory(amount) := fixture.deployment(fixture.container({"resources": {"requests": {"memory": amount}, "limits": {"cpu": 1}}}))

with_cpu(amount) := fixture.deployment(fixture.container({"resources": {"limits": {"cpu": amount}}}))

warned(before, after) := found if {
	found := mg307.warn with input as fixture.updated(before, after, [])
}

test_jump if {
	fixture.pointers(warned(with_memory("512Mi"), with_memory("512Gi"))) == {"/spec/template/spec/containers/0/resources/requests/memory"}
	fixture.pointers(warned(with_cpu("250m"), with_cpu(1))) == {"/spec/template/spec/containers/0/resources/limits/cpu"}
}

test_step if {
	count(warned(with_memory("512Mi"), with_memory("1536Mi"))) == 0
	count(warned(with_memory("2Gi"), with_memory("512Mi"))) == 0
	count(warned(with_cpu("500m"), with_cpu("1500m"))) == 0
}

test_too_little_to_matter if {
	count(warned(with_cpu("10m"), with_cpu("100m"))) == 0
	count(warned(with_memory("16Mi"), with_memory("256Mi"))) == 0
}

test_new_or_unreadable if {
	count(warned(fixture.deployment(fixture.container({})), with_memory("64Gi"))) == 0
	count(warned(with_memory("${MEMORY}"), with_memory("64Gi"))) == 0
}

test_another_container if {
	other := fixture.deployment({"containers": [{"name": "other", "resources": {"requests": {"memory": "1Mi"}}}]})
	count(warned(other, with_memory("64Gi"))) == 0
}
