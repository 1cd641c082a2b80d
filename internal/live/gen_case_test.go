package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	"github.com/mergegate/mergegate/internal/manifest"
)

// trial is a case: what has happened to an object, and what a change would do to it.
type trial struct {
	number     int
	kind       string
	history    []step
	base, head *manifest.Object
}

func (c trial) row() Row { return Row{Base: c.base, Head: c.head} }

// step is one thing that happened to the live object. One that the server refuses did not happen.
type step struct {
	how     string // apply, create, edit, scale, status, delete
	manager string
	object  map[string]any // what is applied or created
	seed    uint64         // of an edit: what is changed
	number  int            // of the case
}

func (s specimen) share() int { return max(s.weight, 1) }

// specimens are the whole catalogue.
func specimens() []specimen { return append(append([]specimen{}, catalogue...), catalogue2...) }

func (g gen) specimen(from []specimen) specimen {
	total := 0
	for _, s := range from {
		total += s.share()
	}
	n := g.IntN(total)
	for _, s := range from {
		if n -= s.share(); n < 0 {
			return s
		}
	}
	return from[0]
}

// trial makes a case of a kind.
func (g gen) trial(s specimen, number int, namespace string) trial {
	g.number = number
	name := fmt.Sprintf("o%d", number)
	c := trial{number: number, kind: s.kind}
	base := g.manifest(s, namespace, name)
	fillRequest(base)
	if g.chance(3) && s.kind != "LimitRange" && s.kind != "ResourceQuota" {
		delete(base["metadata"].(map[string]any), "namespace") // it is in default
	}
	head := base
	switch n := g.IntN(100); {
	case n < 70:
		head = g.change(s, base)
	case n < 76:
		base, head = g.change(s, base), base // from one that may be wrong to one that is right
	}
	c.history = g.history(s, base)
	set := func(content map[string]any) *manifest.Object {
		return &manifest.Object{ID: identityOf(content), Content: content}
	}
	switch n := g.IntN(100); {
	case n < 75:
		c.base, c.head = set(base), set(head)
	case n < 87:
		c.head = set(head)
	case n < 97:
		c.base = set(base)
	default: // a generated name: base has another one
		c.base, c.head = set(base), set(head)
		c.base.Stem, c.head.Stem = name, name
		c.base.ID.Name += "-former"
	}
	return c
}

// history is how the live object came to be what it is.
func (g gen) history(s specimen, base map[string]any) []step {
	var steps []step
	switch n := g.IntN(100); {
	case n < 18:
		return nil
	case n < 73:
		first := base
		if g.chance(20) {
			first = g.change(s, base)
		}
		steps = append(steps, step{how: "apply", manager: "mergegate", object: first})
	case n < 88:
		steps = append(steps, step{how: "create", manager: "kubectl-client-side-apply", object: base})
	default:
		steps = append(steps, step{how: "apply", manager: "helm", object: g.change(s, base)})
	}
	for g.chance(50) && len(steps) < 4 {
		switch n := g.IntN(100); {
		case n < 45:
			steps = append(steps, step{how: "edit", manager: pick(g, []string{"kubectl-edit", "controller"}), seed: g.Uint64(), number: g.number})
		case n < 70:
			steps = append(steps, step{how: "apply", manager: pick(g, []string{"flux", "helm"}), object: g.part(g.change(s, base))})
		case n < 80:
			steps = append(steps, step{how: "apply", manager: "mergegate", object: g.change(s, base)})
		case n < 90:
			steps = append(steps, step{how: "scale", manager: "kube-controller-manager", seed: g.Uint64(), number: g.number})
		case n < 97:
			steps = append(steps, step{how: "status", manager: "kube-controller-manager", seed: g.Uint64(), number: g.number})
		default:
			steps = append(steps, step{how: "delete"})
		}
	}
	return steps
}

// part is an object with some of its fields only, as another manager would apply it.
func (g gen) part(object map[string]any) map[string]any {
	all := spots(object, nil)
	for range len(all) / 3 {
		at := pick(g, all).at
		if key := at[len(at)-1]; strings.Trim(key, "0123456789") != "" && key != "name" && key != "port" && key != "containerPort" && key != "protocol" && len(at) > 1 {
			put(object, at, gone)
		}
	}
	return object
}

func identityOf(content map[string]any) manifest.ID {
	metadata := fields(content, "metadata")
	id := manifest.ID{Kind: text(content["kind"]), Namespace: text(metadata["namespace"]), Name: text(metadata["name"])}
	group, version, ok := strings.Cut(text(content["apiVersion"]), "/")
	if !ok {
		group, version = "", group
	}
	id.Group, id.Version = group, version
	return id
}

// fillRequest gives a CertificateSigningRequest a real request.
func fillRequest(object map[string]any) {
	if spec := fields(object, "spec"); spec["request"] == "CSR" {
		spec["request"] = signingRequest()
	}
}

var signingRequest = sync.OnceValue(func() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))
})
