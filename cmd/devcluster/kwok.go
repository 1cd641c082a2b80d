package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// kwok plays the node and the pods on it: they become ready at once, and pods of Jobs complete.
func (c *cluster) kwok() program {
	return program{name: "kwok", args: []string{
		"--kubeconfig=" + c.dir.file("kwok", ".kubeconfig"),
		"--config=" + c.dir.path("kwok.yaml"),
		"--manage-all-nodes=true",
		"--node-lease-duration-seconds=40",
	}}
}

// notBroken keeps a stage away from pods with a broken image.
const notBroken = `    - key: '(.spec.containers + (.spec.initContainers // []))[].image | select(endswith(":broken"))'
      operator: 'DoesNotExist'
`

// broken is the stage of a pod with an image that ends in :broken: it cannot be pulled, ever.
const broken = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: pod-image-broken
spec:
  resourceRef:
    apiGroup: v1
    kind: Pod
  selector:
    matchExpressions:
    - key: '.metadata.deletionTimestamp'
      operator: 'DoesNotExist'
    - key: '.status.phase'
      operator: 'In'
      values:
      - 'Pending'
    - key: '(.spec.containers + (.spec.initContainers // []))[].image | select(endswith(":broken"))'
      operator: 'Exists'
    - key: '((.status.containerStatuses // []) + (.status.initContainerStatuses // []))[].state.waiting.reason'
      operator: 'NotIn'
      values:
      - 'ImagePullBackOff'
  next:
    event:
      type: Warning
      reason: Failed
      message: 'Error: ImagePullBackOff'
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - lastTransitionTime: {{ $now | Quote }}
        status: "True"
        type: Initialized
      - lastTransitionTime: {{ $now | Quote }}
        status: "False"
        type: Ready
        reason: ContainersNotReady
      - lastTransitionTime: {{ $now | Quote }}
        status: "False"
        type: ContainersReady
        reason: ContainersNotReady
      {{ range tuple (list "containerStatuses" .spec.containers) (list "initContainerStatuses" .spec.initContainers) }}
      {{ index . 0 }}:
      {{ range index . 1 }}
      - image: {{ .image | Quote }}
        imageID: ""
        name: {{ .name | Quote }}
        ready: false
        restartCount: 0
        started: false
        state:
          waiting:
            {{ if hasSuffix ":broken" .image }}
            reason: ImagePullBackOff
            message: {{ printf "Back-off pulling image %q" .image | Quote }}
            {{ else }}
            reason: PodInitializing
            {{ end }}
      {{ end }}
      {{ end }}
      phase: Pending
      startTime: {{ $now | Quote }}
`

// writeStages writes what kwok does with nodes and pods: its own quick stages, and the broken image.
func (c *cluster) writeStages() error {
	const selector = "    matchExpressions:\n"
	if !strings.Contains(podfast.DefaultPodReady, selector) {
		return errors.New("write kwok's stages: its own stage pod-ready does not look as expected")
	}
	ready := strings.Replace(podfast.DefaultPodReady, selector, selector+notBroken, 1)
	stages := []string{
		nodefast.DefaultNodeInit, nodeheartbeat.DefaultNodeHeartbeatWithLease,
		ready, podfast.DefaultPodComplete, podfast.DefaultPodDelete, broken,
	}
	if err := os.WriteFile(c.dir.path("kwok.yaml"), []byte(strings.Join(stages, "\n---\n")), 0o600); err != nil {
		return fmt.Errorf("write kwok's stages: %w", err)
	}
	return nil
}
