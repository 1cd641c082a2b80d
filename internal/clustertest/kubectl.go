package clustertest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Kubectl runs kubectl against the cluster as its administrator, with input as its standard input,
// and gives what it printed. When it fails, so does the test.
func (c *Cluster) Kubectl(t testing.TB, input string, args ...string) string {
	t.Helper()
	output, err := c.TryKubectl(t, input, args...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// TryKubectl is like Kubectl, for what may fail. The error has what kubectl said.
func (c *Cluster) TryKubectl(t testing.TB, input string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Binary(t), append([]string{"kubectl", "--kubeconfig", c.Kubeconfig}, args...)...)
	// A cache in the user's home would serve one cluster what another on the same port has said.
	cmd.Env = append(os.Environ(), "KUBECACHEDIR="+filepath.Join(c.Dir, "kubectl"))
	cmd.Stdin = strings.NewReader(input)
	var output, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &said
	if err := cmd.Run(); err != nil {
		return output.String(), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return output.String(), nil
}

// Namespace makes a namespace for the test, and gives its name. Nobody waits for its removal, which
// takes Kubernetes 10 s.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	c.Kubectl(t, "", "create", "namespace", name)
	return name
}
