package plan

import (
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Result is what an API server would do to an object.
type Result string

// The results. Only what is known is more than [Unknown]: an object that was not looked at has none.
const (
	WillCreate  Result = "create"
	WillUpdate  Result = "update"
	WillReplace Result = "replace"  // an immutable field changes: deleted, then created
	WillDelete  Result = "delete"   // pruned
	WillAdopt   Result = "adopt"    // it is in the cluster, though base does not have it
	NoEffect    Result = "none"     // the cluster is like that already, or the object is gone already
	Rejected    Result = "rejected" // the API server refuses it
	Unknown     Result = "unknown"  // nobody can say, for the reason given
)

// Live is what a cluster would do to one object, on two axes that never mix: what the change does, and
// what was different already. Secrets are masked.
type Live struct {
	Result Result `json:"result"`
	Reason string `json:"reason,omitempty"` // why it is rejected, replaced or unknown
	// Fault says that Result is unknown for the cluster's or our own sake, not for the object's.
	Fault bool `json:"fault,omitempty"`
	// Offline: the object cannot be tried, since what it needs arrives in the same change. It was
	// validated against the schema that it will meet.
	Offline bool `json:"offline,omitempty"`
	// Restarts: the pod template changes, so that pods are replaced.
	Restarts bool `json:"restarts,omitempty"`
	// Effect is what the change does: the difference between what the cluster would hold after base
	// and after the proposed state. Of an object that base does not have it is the difference to the
	// cluster. Empty where it is created or deleted.
	Effect []Field `json:"effect,omitempty"`
	// Drift is what the merge would revert besides: Before is live, After is what base says.
	Drift []LiveField `json:"drift,omitempty"`
	// TakesFrom lists the fields that another manager owns today and that the merge would take over
	// and change; Before is live, After as proposed.
	TakesFrom []LiveField `json:"takesFrom,omitempty"`
	// Keeps lists the fields that the change removes from Git and that stay in the cluster, since another
	// manager owns them.
	Keeps []LiveField `json:"keeps,omitempty"`
	// Cascade is what else goes when this object does, and Invalid the live objects that would no
	// longer be valid.
	Cascade []Cascade `json:"cascade,omitempty"`
	Invalid []string  `json:"invalid,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

// LiveField is a field of a live object, and who has set it.
type LiveField struct {
	Field
	Owners []Owner `json:"owners,omitempty"` // nobody: no manager claims it, or a default
}

// Owner is an entry of metadata.managedFields.
type Owner struct {
	Manager     string `json:"manager"`
	Operation   string `json:"operation"` // Apply or Update
	Subresource string `json:"subresource,omitempty"`
	Time        string `json:"time,omitempty"` // RFC 3339
	// Controller names what is behind the manager where that is known: HorizontalPodAutoscaler, ...
	Controller string `json:"controller,omitempty"`
}

// Cascade counts objects of one kind that go with another one.
type Cascade struct {
	Kind  string   `json:"kind"`  // group/Kind, or Kind in the core group
	Count int      `json:"count"` // all of them
	Names []string `json:"names"` // some of them, namespace/name
	Note  string   `json:"note,omitempty"`
}

// ClusterLive is what several clusters say alike of one object.
type ClusterLive struct {
	Clusters []string `json:"clusters"`
	Live     Live     `json:"live"`
}

// Drifted is an object that the change leaves alone and that is different in the cluster.
type Drifted struct {
	Object   manifest.ID   `json:"object"`
	Live     Live          `json:"live"`
	Clusters []ClusterLive `json:"clusters,omitempty"` // of an application on several clusters
}

// LiveFingerprint is of everything that clusters said, and empty where none was asked.
func (p Plan) LiveFingerprint() string {
	var all []string
	for _, c := range p.Clusters {
		all = append(all, c.Name+" "+c.Fingerprint)
	}
	return strings.Join(all, "\n")
}

// Cluster is a cluster that was asked.
type Cluster struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // of its API server
	// Error says why nothing is known of it. What it was asked is [Unknown] then.
	Error string `json:"error,omitempty"`
	// Fingerprint is of everything that it said: it changes when what would happen does.
	Fingerprint string `json:"fingerprint,omitempty"`
}
