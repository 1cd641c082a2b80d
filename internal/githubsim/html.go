package githubsim

import "net/http"

func (s *Server) serveHTML(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
