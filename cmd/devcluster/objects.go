package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// createAll creates the objects of files and folders, and leaves alone those that exist. Namespaces
// and definitions of kinds come first.
func (a *api) createAll(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	objects, err := readObjects(paths)
	if err != nil {
		return err
	}
	slices.SortStableFunc(objects, func(x, y *unstructured.Unstructured) int { return rank(x) - rank(y) })
	client, err := dynamic.NewForConfig(a.config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(a.client.Discovery()))
	for _, object := range objects {
		if err := create(ctx, client, mapper, object); err != nil {
			return err
		}
	}
	return nil
}

func rank(object *unstructured.Unstructured) int {
	return map[string]int{"Namespace": -2, "CustomResourceDefinition": -1}[object.GetKind()]
}

// create creates one object. It tries again for a while, since what the object needs may not be
// there yet: the kind of a new definition, the service account of a new namespace.
func create(ctx context.Context, client dynamic.Interface, mapper meta.ResettableRESTMapper, object *unstructured.Unstructured) error {
	const patience = 30 * time.Second
	name := object.GetKind() + "/" + object.GetNamespace() + "/" + object.GetName()
	var refused error
	err := await(ctx, patience, "the creation of "+name, func(ctx context.Context) error {
		kind := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			mapper.Reset()
			return err
		}
		target := client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameRoot {
			_, err = target.Create(ctx, object, metav1.CreateOptions{FieldManager: "devcluster"})
		} else {
			namespace := object.GetNamespace()
			if namespace == "" {
				namespace = metav1.NamespaceDefault
			}
			_, err = target.Namespace(namespace).Create(ctx, object, metav1.CreateOptions{FieldManager: "devcluster"})
		}
		switch {
		case apierrors.IsAlreadyExists(err):
			return nil
		case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
			refused = fmt.Errorf("create %s: %w", name, err)
			return nil
		}
		return err
	})
	return errors.Join(err, refused)
}

func readObjects(paths []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || file != path && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)) {
				return err
			}
			found, err := readFile(file)
			objects = append(objects, found...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
	}
	return objects, nil
}

func readFile(path string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() // it is only read
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(file, 4096); ; {
		object := new(unstructured.Unstructured)
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		switch {
		case len(object.Object) == 0:
		case object.GetAPIVersion() == "" || object.GetKind() == "":
			return nil, fmt.Errorf("%s: an object without apiVersion or kind", path)
		case object.IsList():
			err := object.EachListItem(func(item runtime.Object) error {
				objects = append(objects, item.(*unstructured.Unstructured))
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		default:
			objects = append(objects, object)
		}
	}
}
