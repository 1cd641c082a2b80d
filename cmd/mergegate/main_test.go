package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be mergegate itself: tests start it as real processes, scripts find
// it in their PATH, and it starts itself to render.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerCommand || os.Getenv(asMergegate) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"mergegate": main})
}

// asMergegate is the environment variable that makes the test binary behave as mergegate.
const asMergegate = "MERGEGATE_TEST_AS_MERGEGATE"
