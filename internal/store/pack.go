package store

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"sync"
)

// The first byte of packed bytes says how they are packed.
const (
	plain    = 'p'
	deflated = 'd'
)

// minDeflate is from where compressing is worth it.
const minDeflate = 256

// packer compresses what is stored in bulk.
type packer struct{ writers sync.Pool }

func (p *packer) pack(data []byte) ([]byte, error) {
	if len(data) < minDeflate {
		return append([]byte{plain}, data...), nil
	}
	out := bytes.NewBuffer(make([]byte, 0, len(data)/3))
	out.WriteByte(deflated)
	w, ok := p.writers.Get().(*flate.Writer)
	if !ok {
		var err error
		if w, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
	}
	defer p.writers.Put(w)
	w.Reset(out)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	switch {
	case len(packed) == 0:
		return nil, nil
	case packed[0] == plain:
		return packed[1:], nil
	case packed[0] == deflated:
		data, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed[1:])))
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("decompress: unknown packing %q", packed[0])
}
