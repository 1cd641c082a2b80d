# METADATA
# title: Label selectors
package mergegate.lib.selector

# matches says whether a label selector (matchLabels, matchExpressions) selects labels. An empty one selects all.
matches(selector, labels) if {
	is_object(selector)
	equal := object.get(selector, "matchLabels", {})
	object.subset(labels, as_object(equal))
	expressions := object.get(selector, "matchExpressions", [])
	every expression in as_array(expressions) {
		holds(expression, labels)
	}
}

holds(e, labels) if {
	e.operator == "In"
	labels[e.key] in e.values
}

holds(e, labels) if {
	e.operator == "NotIn"
	value := object.get(labels, e.key, null)
	not value in e.values
}

holds(e, labels) if {
	e.operator == "Exists"
	e.key in object.keys(labels)
}

holds(e, labels) if {
	e.operator == "DoesNotExist"
	not e.key in object.keys(labels)
}

as_object(value) := value if is_object(value)

as_object(null) := {}

as_array(value) := value if is_array(value)

as_array(null) := []
