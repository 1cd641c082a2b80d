package hook

import "testing"

// The vector of GitHub's documentation for validating webhook deliveries.
func TestSignVector(t *testing.T) {
	got := Sign("It's a Secret to Everybody", []byte("Hello, World!"))
	if want := "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"; got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
}

func TestFaultValidate(t *testing.T) {
	if err := (Fault{Kind: "explode"}).Validate(); err == nil {
		t.Error("an unknown kind was accepted")
	}
	if err := (Fault{Kind: Drop}).Validate(); err != nil {
		t.Error(err)
	}
}
