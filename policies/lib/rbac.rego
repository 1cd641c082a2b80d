# METADATA
# title: Rights in Kubernetes
# description: For policies of scope change that look at Roles and bindings.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
package mergegate.lib.rbac

import data.mergegate.lib.field

# new_rules are the rules of a Role as proposed, with their indexes, that no single rule before had covered.
new_rules := [[i, rule] |
	some [i, rule] in field.objects(input.change.after, ["rules"])
	not covered(rule)
]

covered(rule) if {
	some [_, old] in field.objects(input.change.before, ["rules"])
	every dimension in ["apiGroups", "resources", "verbs", "nonResourceURLs"] {
		within(values(rule, dimension), values(old, dimension))
	}
	count(values(old, "resourceNames")) == 0
}

covered(rule) if {
	some [_, old] in field.objects(input.change.before, ["rules"])
	every dimension in ["apiGroups", "resources", "verbs", "nonResourceURLs"] {
		within(values(rule, dimension), values(old, dimension))
	}
	count(values(rule, "resourceNames")) > 0
	count(values(rule, "resourceNames") - values(old, "resourceNames")) == 0
}

within(_, old) if "*" in old

within(now, old) if count(now - old) == 0

# values are the entries of one of a rule's lists.
values(rule, dimension) := {value | some [_, value] in field.list(rule, [dimension])}

# has says whether a rule names one of the values, or all of them.
has(rule, dimension, some_of) if count(values(rule, dimension) & (some_of | {"*"})) > 0

# names says whether a rule names one of the values itself.
names(rule, dimension, some_of) if count(values(rule, dimension) & some_of) > 0

# everything says that a rule grants writing to all resources of all groups, or everything in the core group.
everything(rule) if {
	"*" in values(rule, "resources")
	"*" in values(rule, "apiGroups")
	count(values(rule, "verbs") - reading) > 0
}

everything(rule) if {
	"*" in values(rule, "resources")
	"" in values(rule, "apiGroups")
	"*" in values(rule, "verbs")
}

reading := {"get", "list", "watch"}

# new_subjects are the subjects of a binding as proposed, with their indexes, that it did not have before, or all of
# them where its role is another one.
new_subjects := [[i, subject] |
	some [i, subject] in field.objects(input.change.after, ["subjects"])
	not subject_id(subject) in old_subjects
]

old_subjects := {subject_id(subject) |
	input.change.before.roleRef == input.change.after.roleRef
	some [_, subject] in field.objects(input.change.before, ["subjects"])
}

subject_id(subject) := [object.get(subject, key, "") | some key in ["kind", "namespace", "name"]]

# subject_name names a subject for people.
subject_name(subject) := sprintf("%v %v/%v", [subject.kind, subject.namespace, subject.name]) if {
	subject.kind == "ServiceAccount"
	subject.namespace
} else := sprintf("%v %v", [object.get(subject, "kind", "subject"), object.get(subject, "name", "without a name")])
