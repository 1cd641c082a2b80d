package mergegate.policies.mg201_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg201

with_image(reference) := fixture.deployment(fixture.container({"image": reference}))

test_denied_in_production if {
	every reference in ["web", "web:latest", "registry.example.com:5000/shop/web"] {
		found := mg201.deny with input as with_image(reference) with data.mergegate.application as fixture.production
		fixture.pointers(found) == {"/spec/template/spec/containers/0/image"}
		warned := mg201.warn with input as with_image(reference) with data.mergegate.application as fixture.production
		count(warned) == 0
	}
}

test_warned_elsewhere if {
	warned := mg201.warn with input as with_image("web:latest") with data.mergegate.application as fixture.staging
	count(warned) == 1
	found := mg201.deny with input as with_image("web:latest") with data.mergegate.application as fixture.staging
	count(found) == 0
}

test_versions_and_digests if {
	digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	every reference in ["web:1.8.2", "web:stable", concat("@", ["web", digest]), concat("@", ["web:latest", digest])] {
		found := mg201.deny with input as with_image(reference) with data.mergegate.application as fixture.production
		count(found) == 0
	}
}

test_filled_in_later if {
	every reference in ["", "${IMAGE}", "$(image)", "web:${TAG}"] {
		found := mg201.deny with input as with_image(reference) with data.mergegate.application as fixture.production
		count(found) == 0
	}
}

test_init_containers if {
	found := mg201.deny with input as fixture.pod({"initContainers": [{"name": "migrate", "image": "web"}]})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/initContainers/0/image"}
}
