# METADATA
# title: Places in an object
# description: |
#   Paths are arrays of keys and indexes, as walk gives them. A finding stands at the value that is wrong;
#   where that value is missing, at its nearest parent that is there.
package mergegate.lib.field

# at is the path of what stands at rel below a value, or of its nearest parent. The value, which is an
# object, stands itself at path.
at(path, value, rel) := path if {
	not exists(value, array.slice(rel, 0, 1))
} else := array.concat(path, rel) if {
	exists(value, rel)
} else := array.concat(path, array.slice(rel, 0, deepest)) if {
	deepest := max({n |
		some n in numbers.range(1, count(rel))
		exists(value, array.slice(rel, 0, n))
	})
}

# exists says whether an object has something at a path, be it null.
exists(value, path) if {
	is_object(value)
	object.get(value, path, absent) != absent
}

# pointer reads a JSON pointer: indexes become numbers where they are digits.
pointer(text) := [segment |
	some i, raw in split(text, "/")
	i > 0
	segment := step(replace(replace(raw, "~1", "/"), "~0", "~"))
]

# string gives the value if it is a text that says something.
string(value, path) := text if {
	is_object(value)
	text := object.get(value, path, "")
	is_string(text)
	text != ""
}

# list gives the items of the list at a path with their indexes, none if there is no list, or nothing to have one.
list(value, path) := [[i, item] |
	is_object(value)
	items := object.get(value, path, [])
	is_array(items)
	some i, item in items
]

# objects is list for items that are objects.
objects(value, path) := [pair |
	some pair in list(value, path)
	is_object(pair[1])
]

absent := "\u0000absent"

step(segment) := to_number(segment) if regex.match(`^(0|[1-9][0-9]{0,8})$`, segment)

step(segment) := segment if not regex.match(`^(0|[1-9][0-9]{0,8})$`, segment)
