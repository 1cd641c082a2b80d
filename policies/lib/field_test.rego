package mergegate.lib.field_test

import data.mergegate.lib.field

value := {"a": {"b": [{"c": null}, 5]}}

test_at if {
	field.at(["x"], value, ["a", "b", 0, "c"]) == ["x", "a", "b", 0, "c"]
	field.at(["x"], value, ["a", "b", 0, "d"]) == ["x", "a", "b", 0]
	field.at(["x"], value, ["a", "b", 7, "c"]) == ["x", "a", "b"]
	field.at(["x"], value, ["z", "b"]) == ["x"]
	field.at([], value, ["a", "b", 1, "c"]) == ["a", "b", 1]
}

test_pointer if {
	field.pointer("/spec/containers/0/a~1b~0c") == ["spec", "containers", 0, "a/b~c"]
	field.pointer("/data/007") == ["data", "007"]
	field.pointer("") == []
}

test_string if {
	field.string({"a": {"b": "x"}}, ["a", "b"]) == "x"
	not field.string({"a": {"b": ""}}, ["a", "b"])
	not field.string({"a": {"b": 5}}, ["a", "b"])
	not field.string({"a": "x"}, ["a", "b"])
}

test_lists if {
	field.list({"a": [7, 8]}, ["a"]) == [[0, 7], [1, 8]]
	field.list({"a": "x"}, ["a"]) == []
	field.list({}, ["a"]) == []
	field.objects({"a": [7, {"b": 1}, null]}, ["a"]) == [[1, {"b": 1}]]
}
