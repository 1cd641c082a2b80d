package render

import "testing"

// BenchmarkOverlay renders a small base and overlay on one warm worker.
func BenchmarkOverlay(b *testing.B) {
	p := newPool(b, Config{Workers: 1})
	req := Request{Tree: tree(sibling), Path: "prod", Type: TypeKustomize}
	for b.Loop() {
		if _, err := p.Render(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}
