// Package cluster speaks to Kubernetes API servers. It is the only user of client-go.
//
// It knows how to connect (a kubeconfig's contexts, or the service account of the pod that it runs in),
// how to discover what a server serves, to list, and to try an object by a dry run. It writes nothing:
// every request that is not a read carries dryRun=All. It must not know why it is asked: what an
// answer means for a change is live's.
//
// What it reads are clear objects, Secrets among them. They go to live alone, which gives nothing away
// before it is masked.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/mergegate/mergegate/internal/kube"
)

// Settings say how a server is spoken to. The zero value is what holds by default.
type Settings struct {
	// Timeout is for one request; 0: 34 s, since the API server itself gives a webhook up to 30 s.
	Timeout time.Duration
	// Patience is how long requests that may be repeated are repeated; 0: 20 s.
	Patience time.Duration
	// Parallel is how many requests are in flight to one server; 0: 16. The server's own priority and
	// fairness decides what it takes: there is no limit of requests per second here.
	Parallel int
}

func (s Settings) withDefaults() Settings {
	if s.Timeout == 0 {
		s.Timeout = 34 * time.Second
	}
	if s.Patience == 0 {
		s.Patience = 20 * time.Second
	}
	if s.Parallel == 0 {
		s.Parallel = 16
	}
	return s
}

// Clusters are the clusters that can be asked, by name. It is safe for concurrent use.
type Clusters struct {
	configs  map[string]func() (*rest.Config, error)
	only     string // whatever name is asked for, this one is meant
	unnamed  string // what is meant where no name is given
	settings Settings

	mu   sync.Mutex
	open map[string]*Cluster
}

// FromKubeconfig are the contexts of a kubeconfig file, each a cluster of that name. With a context
// name, every application's objects are compared with that one, whatever its cluster is called.
func FromKubeconfig(file, context string, s Settings) (*Clusters, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	raw, err := clientcmd.Load(data)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", file, err)
	}
	setOrigin(raw, file)
	if err := clientcmd.ResolveLocalPaths(raw); err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", file, err)
	}
	c := &Clusters{configs: map[string]func() (*rest.Config, error){}, only: context, unnamed: raw.CurrentContext, settings: s.withDefaults()}
	for name := range raw.Contexts {
		c.configs[name] = func() (*rest.Config, error) {
			return clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
		}
	}
	if _, ok := c.configs[context]; context != "" && !ok {
		return nil, fmt.Errorf("read kubeconfig %s: it has no context %q%s", file, context, c.names())
	}
	if len(c.configs) == 0 {
		return nil, fmt.Errorf("read kubeconfig %s: it has no contexts: each one is a cluster", file)
	}
	return c, nil
}

// setOrigin lets relative paths in the file be relative to it.
func setOrigin(raw *clientcmdapi.Config, file string) {
	for _, c := range raw.Clusters {
		c.LocationOfOrigin = file
	}
	for _, a := range raw.AuthInfos {
		a.LocationOfOrigin = file
	}
	for _, c := range raw.Contexts {
		c.LocationOfOrigin = file
	}
}

// InCluster is the cluster that the program runs in, spoken to by the service account of its pod,
// under the name that applications give it.
func InCluster(name string, s Settings) *Clusters {
	return &Clusters{
		configs: map[string]func() (*rest.Config, error){name: rest.InClusterConfig},
		unnamed: name, settings: s.withDefaults(),
	}
}

// With adds the clusters of other. A name that both have is an error.
func (c *Clusters) With(other *Clusters) (*Clusters, error) {
	both := &Clusters{configs: maps.Clone(c.configs), only: c.only, unnamed: c.unnamed, settings: c.settings}
	for name, config := range other.configs {
		if _, taken := both.configs[name]; taken {
			return nil, fmt.Errorf("cluster %q is named twice: rename the context or the cluster", name)
		}
		both.configs[name] = config
	}
	return both, nil
}

// Names are the names of all clusters, sorted.
func (c *Clusters) Names() []string { return slices.Sorted(maps.Keys(c.configs)) }

func (c *Clusters) names() string {
	if len(c.configs) == 0 {
		return ""
	}
	return fmt.Sprintf(", only %q", c.Names())
}

// Resolve is the name of the cluster that is meant by the name that an application gives: another one
// where the caller named one for all, or where the application names none.
func (c *Clusters) Resolve(name string) string {
	switch {
	case c.only != "":
		return c.only
	case name == "":
		return c.unnamed
	}
	return name
}

// Open is a cluster by the name that [Clusters.Resolve] gives. Nothing is sent yet.
func (c *Clusters) Open(name string) (*Cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.open[name]; ok {
		return known, nil
	}
	config, ok := c.configs[name]
	if !ok && name == "" {
		return nil, errors.New("the application names no cluster, and no context is the current one: give the environment a cluster in .mergegate.yaml")
	}
	if !ok {
		return nil, fmt.Errorf("no cluster is called %q here%s", name, c.names())
	}
	settings, err := config()
	if err != nil {
		return nil, fmt.Errorf("connect to cluster %q: %w", name, err)
	}
	opened, err := connect(settings, c.settings)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster %q: %w", name, err)
	}
	if c.open == nil {
		c.open = map[string]*Cluster{}
	}
	c.open[name] = opened
	return opened, nil
}

// Cluster is one API server.
type Cluster struct {
	client   rest.Interface
	settings Settings
	slots    chan struct{} // one for each request in flight
}

func connect(config *rest.Config, s Settings) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // the server's priority and fairness decides
	config.UserAgent = kube.FieldManager
	config.WarningHandlerWithContext = rest.NoWarnings{} // they are read from each answer
	config.GroupVersion = &schema.GroupVersion{}
	scheme := runtime.NewScheme() // of answers that are errors
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{client: client, settings: s, slots: make(chan struct{}, s.Parallel)}, nil
}

// acquire waits for a slot. The caller gives it back.
func (c *Cluster) acquire(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Cluster) release() { <-c.slots }
