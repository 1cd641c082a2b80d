package mergegate.policies.mg202_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg202

with_tag(tag) := fixture.deployment(fixture.container({"image": sprintf("registry.example.com/shop/web:%s", [tag])}))

test_moving if {
	every tag in ["main", "master", "stable", "alpine", "release-candidate"] {
		found := mg202.warn with input as with_tag(tag) with data.mergegate.application as fixture.production
		fixture.pointers(found) == {"/spec/template/spec/containers/0/image"}
	}
}

test_fixed if {
	every tag in ["1.8.2", "v2", "2024-01-09", "main-3f2a9c1", "abcdefa", "3f2a9c1", "${TAG}"] {
		found := mg202.warn with input as with_tag(tag) with data.mergegate.application as fixture.production
		count(found) == 0
	}
}

test_latest_is_left_to_mg201 if {
	found := mg202.warn with input as with_tag("latest") with data.mergegate.application as fixture.production
	count(found) == 0
}

test_digest if {
	tag := "main@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	found := mg202.warn with input as with_tag(tag) with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	found := mg202.warn with input as with_tag("main") with data.mergegate.application as fixture.staging
	count(found) == 0
}
