package render

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// frameKind says what a frame between pool and worker holds.
type frameKind byte

const (
	frameHello   frameKind = iota + 1 // pool: limits; worker: ready
	frameRender                       // pool: wireRequest
	frameLocate                       // pool: wireRequest with queries
	frameProbe                        // pool: text; only a worker built with a probe answers
	frameReadDir                      // worker: path of a directory to list
	frameRead                         // worker: path of a file to read
	frameDir                          // pool: []entry
	frameFile                         // pool: the file's bytes
	frameFailure                      // pool: why a path cannot be given, for people
	frameResult                       // worker: wireResult
)

const (
	maxPath       = 4096
	frameOverhead = 16 << 20 // what a result may hold beside its objects
)

// writeFrame sends one frame: kind, length, payload.
func writeFrame(w io.Writer, kind frameKind, payload []byte) error {
	head := make([]byte, 5, 5+min(len(payload), 1<<16))
	head[0] = byte(kind)
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload))) //nolint:gosec // payloads are bounded far below 4 GiB by the budgets
	if len(payload) <= cap(head)-len(head) {
		_, err := w.Write(append(head, payload...))
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// readFrame receives one frame and refuses one that claims more than limit bytes.
func readFrame(r io.Reader, limit int64) (frameKind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > limit {
		return 0, nil, &frameSizeError{size: size, limit: limit}
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("read frame of %d bytes: %w", size, err)
	}
	return frameKind(head[0]), payload, nil
}

// frameSizeError says that the other side sent more than it may.
type frameSizeError struct{ size, limit int64 }

func (e *frameSizeError) Error() string {
	return fmt.Sprintf("frame of %d bytes is over the limit of %d", e.size, e.limit)
}

// writeJSON sends v as the payload of one frame.
func writeJSON(w io.Writer, kind frameKind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	return writeFrame(w, kind, payload)
}
