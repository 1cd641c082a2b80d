// Package cluster is the only user of client-go.
package cluster
import (
 _ "k8s.io/client-go/rest"
 _ "k8s.io/client-go/discovery"
 _ "k8s.io/client-go/tools/clientcmd"
 _ "sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)
