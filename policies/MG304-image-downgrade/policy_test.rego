package mergegate.policies.mg304_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg304

warned(before, after) := found if {
	found := mg304.warn with input as fixture.updated(with_image(before), with_image(after), ["/spec/template/spec/containers/0/image"])
}

with_image(reference) := fixture.deployment(fixture.container({"image": reference}))

test_older if {
	every pair in [["web:1.9.0", "web:1.8.2"], ["web:v2", "web:v1"], ["postgres:17.1", "postgres:16.4"], ["web:1.0.0", "web:1.0.0-rc.1"]] {
		fixture.pointers(warned(pair[0], pair[1])) == {"/spec/template/spec/containers/0/image"}
	}
}

test_newer_same_and_unknown if {
	every pair in [
		["web:1.8.2", "web:1.10.0"], ["web:1.8.2", "web:1.8.2-alpine"], ["web:main", "web:1.0.0"], ["web:2.0.0", "web:main"],
		["web", "web:1.0.0"], ["web:3f2a9c1", "web:1f2a9c1"],
	] {
		count(warned(pair[0], pair[1])) == 0
	}
}

test_another_image if {
	count(warned("old/web:9.0.0", "new/web:1.0.0")) == 0
}

test_containers_by_name if {
	before := fixture.deployment({"containers": [{"name": "web", "image": "web:1.0.0"}, {"name": "proxy", "image": "web:9.0.0"}]})
	after := fixture.deployment({"containers": [{"name": "proxy", "image": "web:9.0.0"}, {"name": "web", "image": "web:1.0.0"}]})
	found := mg304.warn with input as fixture.updated(before, after, [])
	count(found) == 0
}

test_created if {
	found := mg304.warn with input as fixture.created(with_image("web:1.0.0"))
	count(found) == 0
}
