package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of mergegate and of the engines in it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprint(std.out, version())
			return nil
		},
	}
}

// version names the build and the libraries whose version decides what comes out.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "mergegate (unknown build)\n"
	}
	text := fmt.Sprintf("mergegate %s %s/%s %s\n", info.Main.Version, runtime.GOOS, runtime.GOARCH, info.GoVersion)
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/open-policy-agent/opa", "sigs.k8s.io/kustomize/api":
			text += fmt.Sprintf("  %s %s\n", dep.Path, dep.Version)
		}
	}
	return text
}
