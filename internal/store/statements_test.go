package store

import (
	"context"
	"fmt"
	"testing"
)

// A statement whose rows are still being read must not be run again underneath them.
func TestStatementsNest(t *testing.T) {
	s := openForTest(t)
	err := s.Update(t.Context(), func(ctx context.Context, tx *Tx) error {
		for i := range 5 {
			if err := tx.SetSetting(ctx, fmt.Sprint(i), nil); err != nil {
				return err
			}
		}
		read := stmt(`SELECT key FROM settings ORDER BY key`)
		pairs := 0
		err := tx.db.query(ctx, read, func(scanner) error {
			return tx.db.query(ctx, read, func(scanner) error { pairs++; return nil })
		})
		if pairs != 25 {
			t.Errorf("read %d pairs, want 25", pairs)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	s := openForTest(t)
	err := s.Update(t.Context(), func(ctx context.Context, tx *Tx) error {
		for i := range 3 * maxStatements {
			n, err := first(ctx, tx.db.query, stmt(fmt.Sprintf(`SELECT %d`, i)), value[int])
			if err != nil || n != i {
				return fmt.Errorf("statement %d gave %d: %w", i, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	conn, err := s.SQLite().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // nothing of use in its error
	err = conn.Raw(func(c any) error {
		if n := len(c.(*cachingConn).statements); n == 0 || n > maxStatements {
			t.Errorf("%d statements are kept, want up to %d", n, maxStatements)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Kept statements must see a schema that changed.
func TestStatementsSurviveASchemaChange(t *testing.T) {
	s := openForTest(t)
	err := s.Update(t.Context(), func(ctx context.Context, tx *Tx) error {
		read := func() (n int, err error) {
			err = tx.db.query(ctx, stmt(`SELECT * FROM audit_head`), func(row scanner) error { n++; return nil })
			return n, err
		}
		if _, err := read(); err != nil {
			return err
		}
		if _, err := tx.db.exec(ctx, stmt(`ALTER TABLE audit_head ADD COLUMN more TEXT`)); err != nil {
			return err
		}
		n, err := read()
		if n != 1 {
			t.Errorf("read %d rows, want 1", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func openForTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Database: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPackedBytesComeBack(t *testing.T) {
	p := &packer{}
	for _, n := range []int{0, 1, minDeflate - 1, minDeflate, 100000} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * i >> 3)
		}
		for range 2 {
			packed, err := p.pack(data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := unpack(packed)
			if err != nil || string(got) != string(data) {
				t.Errorf("%d bytes came back as %d, %v", n, len(got), err)
			}
		}
	}
	if _, err := unpack([]byte("x")); err == nil {
		t.Error("unpack of an unknown packing: no error")
	}
}
