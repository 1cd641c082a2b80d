package mergegate.lib.image_test

import data.mergegate.lib.image

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

test_parse if {
	every reference, want in {
		"nginx": {"repository": "nginx"},
		"nginx:1.27": {"repository": "nginx", "tag": "1.27"},
		"registry.example.com:5000/shop/web": {"repository": "registry.example.com:5000/shop/web"},
		"registry.example.com:5000/shop/web:1.8.2": {"repository": "registry.example.com:5000/shop/web", "tag": "1.8.2"},
	} {
		image.parse(reference) == want
	}
}

test_digest if {
	image.parse(sprintf("a/web@%s", [digest])) == {"repository": "a/web", "digest": digest}
	image.parse(sprintf("a/web:latest@%s", [digest])) == {"repository": "a/web", "tag": "latest", "digest": digest}
}

test_no_reference if {
	every reference in ["", "${IMAGE}", "$(params.image)", "{{ .image }}", "ko://example.com/cmd/web", null, 5, ["a"]] {
		not image.parse(reference)
	}
}

test_version if {
	every tag, want in {
		"1.8.2": [[1, 8, 2], []], "v1.8": [[1, 8, 0], []], "16": [[16, 0, 0], []], "1.25.3-alpine": [[1, 25, 3], ["alpine"]],
		"2024.01.09": [[2024, 1, 9], []], "3.1.0-rc.2": [[3, 1, 0], ["rc.2"]], "8.0-jdk-21": [[8, 0, 0], ["jdk", "21"]],
	} {
		found := image.version(tag)
		[found.numbers, found.words] == want
	}
}

test_no_version if {
	every tag in ["latest", "main", "abc1234", "1234567", "20240109", "sha-1234567", "", "1.2.3.4.5", "${TAG}", null] {
		not image.version(tag)
	}
}

test_older if {
	every pair in [
		["1.8.1", "1.8.2"], ["1.9", "1.10"], ["v1.2.3", "1.3.0"], ["2.0.0-rc.1", "2.0.0"], ["2.0.0-rc.1", "2.0.0-rc.2"],
		["2.0.0-alpha", "2.0.0-beta"], ["16-alpine", "17"],
	] {
		older(pair[0], pair[1])
		not older(pair[1], pair[0])
	}
}

test_same_age if {
	every pair in [["1.2.3", "1.2.3"], ["1.2.3-alpine", "1.2.3"], ["1.2.3-alpine3.19", "1.2.3-alpine3.20"], ["1.2", "v1.2.0"]] {
		not older(pair[0], pair[1])
		not older(pair[1], pair[0])
	}
}

older(a, b) if image.older(image.version(a), image.version(b))
