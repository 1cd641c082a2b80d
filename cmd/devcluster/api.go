package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	patience = 2 * time.Minute // for one part to become ready, on a busy machine
	node     = "node-0"
	leases   = corev1.NamespaceNodeLease
)

// api is the API server of the cluster, as its administrator sees it.
type api struct {
	config *rest.Config
	client *kubernetes.Clientset
}

func connect(kubeconfig string) (*api, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return &api{config: config, client: client}, nil
}

func (a *api) awaitServer(ctx context.Context) error {
	return await(ctx, patience, "kube-apiserver", func(ctx context.Context) error {
		return a.client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// makeNode makes the node, unless it is there, and drops its lease, which a kwok of the last time
// would hold for 40 s.
func (a *api) makeNode(ctx context.Context) error {
	wanted := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:        node,
		Labels:      map[string]string{"kubernetes.io/hostname": node, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
		Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
	}}
	if _, err := a.client.CoreV1().Nodes().Create(ctx, wanted, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create Node/%s: %w", node, err)
	}
	err := a.client.CoordinationV1().Leases(leases).Delete(ctx, node, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete Lease/%s/%s: %w", leases, node, err)
	}
	return nil
}

// awaitNode waits until kwok has taken the node's lease and the node is ready.
func (a *api) awaitNode(ctx context.Context) error {
	return await(ctx, patience, "Node/"+node, func(ctx context.Context) error {
		if _, err := a.client.CoordinationV1().Leases(leases).Get(ctx, node, metav1.GetOptions{}); err != nil {
			return err
		}
		found, err := a.client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range found.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("it is not ready")
	})
}

// awaitControllers waits until pods can be made in the default namespace.
func (a *api) awaitControllers(ctx context.Context) error {
	return await(ctx, patience, "kube-controller-manager", func(ctx context.Context) error {
		_, err := a.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
