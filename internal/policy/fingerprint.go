package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/mergegate/mergegate/internal/manifest"
)

// fingerprint hashes parts, each with its length so that none can pose as two.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// identity is what stays of an object from one push to the next: its name without a generated suffix.
func identity(o manifest.Object) string {
	id := o.ID
	if o.Stem != "" {
		id.Name = "~" + o.Stem
	}
	return id.Key()
}
