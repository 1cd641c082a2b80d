package policy

import (
	"context"
	"errors"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
)

// document store: what data holds in one evaluation. It is read only, and its values are shared by all
// queries without conversion.
type dataStore struct {
	storage.PolicyNotSupported
	storage.TriggersNotSupported
	storage.WritesNotSupported
	root ast.Object
}

// reading is the only transaction there is: nothing ever changes.
type reading struct{}

// ID implements [storage.Transaction].
func (reading) ID() uint64 { return 1 }

// NewTransaction implements [storage.Store].
func (s *dataStore) NewTransaction(context.Context, ...storage.TransactionParams) (storage.Transaction, error) {
	return reading{}, nil
}

// Commit implements [storage.Store].
func (s *dataStore) Commit(context.Context, storage.Transaction) error { return nil }

// Abort implements [storage.Store].
func (s *dataStore) Abort(context.Context, storage.Transaction) {}

// Truncate implements [storage.Store].
func (s *dataStore) Truncate(context.Context, storage.Transaction, storage.TransactionParams, storage.Iterator) error {
	return errors.New("truncate policy data: it is read only")
}

// Read implements [storage.Store]: it gives an [ast.Value].
func (s *dataStore) Read(_ context.Context, _ storage.Transaction, path storage.Path) (any, error) {
	var value ast.Value = s.root
	for _, segment := range path {
		child := childOf(value, segment)
		if child == nil {
			return nil, &storage.Error{Code: storage.NotFoundErr, Message: path.String()}
		}
		value = child.Value
	}
	return value, nil
}

func childOf(value ast.Value, segment string) *ast.Term {
	switch v := value.(type) {
	case ast.Object:
		return v.Get(ast.StringTerm(segment))
	case *ast.Array:
		i, err := strconv.Atoi(segment)
		if err != nil || i < 0 || i >= v.Len() {
			return nil
		}
		return v.Elem(i)
	}
	return nil
}
