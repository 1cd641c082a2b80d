package webhook

import (
	"net/http"
	"time"
)

// Server returns an HTTP server for handler that gives slow or silent peers a bounded time.
func Server(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // 25 MiB over a slow link
		WriteTimeout:      45 * time.Second, // counts from the end of the header, so it includes reading and saving
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}
