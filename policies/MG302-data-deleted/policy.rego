# METADATA
# title: Nothing that holds data is deleted
# description: |
#   Deleting a claim, a volume, a Namespace, a CustomResourceDefinition or a StatefulSet can delete data that no revert of the
#   commit brings back. Keep the object in the cluster first, or do it on purpose.
# related_resources:
# - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
# custom:
#   id: MG302
#   severity: critical
#   mergegate:
#     scope: change
#     kinds: [
#       /Namespace, /PersistentVolume, /PersistentVolumeClaim, acid.zalan.do/postgresql,
#       apiextensions.k8s.io/CustomResourceDefinition, apps/StatefulSet,
#       elasticsearch.k8s.elastic.co/Elasticsearch, kafka.strimzi.io/Kafka,
#       mariadb.mmontes.io/MariaDB, minio.min.io/Tenant, mysql.oracle.com/InnoDBCluster,
#       postgres-operator.crunchydata.com/PostgresCluster, postgresql.cnpg.io/Cluster,
#       rabbitmq.com/RabbitmqCluster, snapshot.storage.k8s.io/VolumeSnapshot
#     ]
package mergegate.policies.mg302

import data.mergegate.lib.application
import data.mergegate.lib.workload

deny contains {"field": ["kind"], "msg": msg} if {
	"delete" in input.change.actions
	is_object(input.change.before)
	not application.kept(input.change.before)
	not emptied_before
	msg := sprintf("%s is deleted, and with it %s: keep it, or mark it on the base branch so that it stays in the cluster", [
		workload.id(input.change.before),
		lost(input.change.before.kind),
	])
}

# A StatefulSet without replicas whose claims stay loses nothing.
emptied_before if {
	input.change.before.kind == "StatefulSet"
	input.change.before.spec.replicas == 0
	object.get(input.change.before, ["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"], "Retain") == "Retain"
}

lost(kind) := what[kind]

lost(kind) := "the data that its operator keeps" if not kind in object.keys(what)

what := {
	"Namespace": "everything in it, claims and Secrets included",
	"PersistentVolume": "the way to its data",
	"PersistentVolumeClaim": "its volume, where the reclaim policy is Delete",
	"CustomResourceDefinition": "all objects of its kind in the whole cluster",
	"StatefulSet": "its running Pods; its claims stay unless whenDeleted says otherwise",
	"VolumeSnapshot": "the snapshot, where the deletion policy is Delete",
}
