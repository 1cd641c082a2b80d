package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// renderYAML reads an application of plain manifest files. The second result are the files that
// hold no object.
func renderYAML(v *view, files []string, budget int64) (json.RawMessage, []string, error) {
	var set manifest.Set
	var skipped []string
	origin := map[string]string{}
	for _, file := range slices.Sorted(slices.Values(files)) {
		objects, err := readManifests(v, file)
		if err != nil {
			return nil, skipped, err
		}
		if len(objects) == 0 {
			skipped = append(skipped, file)
		}
		for _, object := range objects {
			key := object.ID.Key()
			if first, twice := origin[key]; twice && !strings.HasSuffix(key, "*") {
				return nil, skipped, &Error{Class: ClassInput, File: file, Message: fmt.Sprintf("%s is also in %s: one of the two would be lost, remove or rename one", object.ID, first)}
			}
			origin[key] = file
		}
		set = append(set, objects...)
	}
	set.Sort()
	data, err := encodeObjects(set, budget)
	return data, skipped, err
}

func readManifests(v *view, file string) ([]manifest.Object, error) {
	data, err := v.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Class: ClassInput, File: file, Message: "the file does not exist"}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return Decode(file, data)
}
