# METADATA
# title: What the tests of the library build their inputs with
package mergegate.lib.fixture

import data.mergegate.lib.field
import data.mergegate.lib.workload

pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}

deployment(spec) := {
	"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
	"spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}},
}

cronjob(spec) := {
	"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "web"},
	"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}},
}

# container is a Pod's spec with one container that is called web.
container(c) := {"containers": [object.union({"name": "web"}, c)]}

production := {"name": "shop", "path": "apps/shop", "environment": "production", "cluster": "eu", "namespace": "shop"}

staging := object.union(production, {"environment": "staging"})

# updated is the input of a change policy for an object that changes, with the fields that changed.
updated(before, after, fields) := object.union(change(["update"], before, after), {
	"change": {"fields": [f |
		some path in fields
		f := object.union({"path": path, "at": path}, sides(before, after, path))
	]},
})

created(after) := change(["create"], null, after)

deleted(before) := change(["delete"], before, null)

change(actions, before, after) := {
	"application": production,
	"id": id([o | some o in [after, before]; o != null][0]),
	"change": {"actions": actions, "before": before, "after": after, "fields": []},
	"objects": [o | some o in [after]; o != null],
	"base": [o | some o in [before]; o != null],
}

id(object_) := {
	"group": workload.group(object_), "version": "v1", "kind": object_.kind,
	"namespace": object.get(object_, ["metadata", "namespace"], ""), "name": object_.metadata.name,
}

# application is the input of an application policy.
application(objects, base) := {"application": production, "objects": objects, "base": base}

sides(before, after, path) := object.union(side("before", before, path), side("after", after, path))

side(name, value, path) := {name: found} if {
	found := object.get(value, field.pointer(path), field.absent)
	found != field.absent
} else := {}

# pointers are the fields of findings as JSON pointers.
pointers(findings) := {pointer(finding.field) | some finding in findings}

pointer(path) := concat("", [text | some step in path; text := sprintf("/%v", [step])])
