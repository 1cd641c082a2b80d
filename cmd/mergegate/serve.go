package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/spf13/cobra"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/gate"
	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/render"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/web"
	"github.com/mergegate/mergegate/internal/webhook"
)

// stopGrace is how long the server waits for requests and jobs in progress when it is told to stop.
const stopGrace = 30 * time.Second

func serveCommand(std stdio) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the GitHub App",
		Long: "serve receives webhooks, plans pull requests and publishes checks and comments.\n" +
			"Every setting of the file can be given by an environment variable instead: github.appID as MERGEGATE_GITHUB_APP_ID.\n" + exitHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), file, std) },
	}
	cmd.Flags().StringVar(&file, "config", "", "settings `file` (YAML)")
	return cmd
}

func runServe(ctx context.Context, file string, std stdio) error {
	settings, err := readSettings(file)
	if err != nil {
		return err
	}
	log := newLogger(std.err, settings.Log)
	s, err := newServer(ctx, settings, log)
	if err != nil {
		return err
	}
	return errors.Join(s.run(ctx), s.close())
}

func readSettings(file string) (config.Server, error) {
	name, data := "environment", []byte(nil)
	if file != "" {
		var err error
		if data, err = os.ReadFile(file); err != nil {
			return config.Server{}, usage("--config: %v", err)
		}
		name = filepath.Base(file)
	}
	settings, err := config.ParseServer(name, data, os.Getenv)
	if err == nil {
		settings, err = settings.ReadSecrets(os.ReadFile)
	}
	if err != nil {
		return config.Server{}, usage("%v", err)
	}
	return settings, nil
}

func newLogger(w io.Writer, settings config.Log) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(settings.Level)) != nil { // was validated with the settings
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: github.RedactAttr}
	if settings.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// server is everything that runs in one process of `mergegate serve`.
type server struct {
	settings config.Server
	log      *slog.Logger
	store    *store.Store
	engine   *engine
	queue    *queue.Queue
	gate     *gate.Gate
}

// newServer wires the server. It holds nothing open when it fails.
func newServer(ctx context.Context, settings config.Server, log *slog.Logger) (_ *server, err error) {
	s := &server{settings: settings, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	pace := github.ProductionLimits()
	pace.WriteEvery = settings.GitHub.WriteInterval
	app, err := github.New(github.Config{
		BaseURL: settings.GitHub.APIURL, GitURL: settings.GitHub.URL, AppID: settings.GitHub.AppID,
		PrivateKey: []byte(settings.GitHub.PrivateKey), Logger: log, Limits: pace,
	})
	if err != nil {
		return nil, usage("%v", err)
	}
	if s.store, err = store.Open(ctx, store.Config{Database: cmp.Or(string(settings.Database), settings.DataDir)}); err != nil {
		return nil, err
	}
	if !store.IsPostgres(string(settings.Database)) {
		if err = cleanScratch(settings.DataDir); err != nil {
			return nil, err
		}
	}
	limits := settings.Render
	if s.engine, err = newEngine(render.Config{
		Workers: limits.Workers, Timeout: limits.Timeout, Memory: int64(limits.MemoryMiB) << 20, Output: int64(limits.OutputMiB) << 20,
	}); err != nil {
		return nil, err
	}
	if s.engine.Clusters, err = openClusters(settings.Clusters); err != nil {
		return nil, err
	}
	s.engine.Answers = &live.Cache{}
	s.engine.PolicyTimeout, s.engine.Compiled = settings.Policy.Timeout, &policy.Cache{}
	if s.engine.DigestKey, err = s.store.EnsureSetting(ctx, "digest key", []byte(rand.Text()+rand.Text())); err != nil {
		return nil, err
	}
	s.gate = gate.New(gate.Config{
		App: app, Engine: s.engine.Engine, Logger: log, Mirrors: filepath.Join(settings.DataDir, "mirrors"),
		PublicURL: settings.PublicURL, Store: s.store, Refresh: settings.Clusters.Refresh,
	})
	s.queue, err = queue.New(ctx, s.store, queue.Config{
		Handlers: s.gate.Handlers(), Workers: map[queue.Kind]int{queue.Plan: settings.Workers, queue.Sweep: 1, queue.Delivery: 8},
		Log: log, SweepEvery: settings.SweepInterval,
	})
	s.gate.Jobs = s.queue
	return s, err
}

// openClusters are the clusters that pull requests are compared with; nil where the settings name none.
func openClusters(settings config.Clusters) (pipeline.Clusters, error) {
	var found *cluster.Clusters
	if settings.Kubeconfig != "" {
		var err error
		if found, err = cluster.FromKubeconfig(settings.Kubeconfig, "", cluster.Settings{}); err != nil {
			return nil, usage("clusters.kubeconfig: %v", err)
		}
	}
	if settings.InCluster != "" {
		own := cluster.InCluster(settings.InCluster, cluster.Settings{})
		if found == nil {
			return clusters{own}, nil
		}
		var err error
		if found, err = found.With(own); err != nil {
			return nil, usage("clusters.inCluster: %v", err)
		}
	}
	if found == nil {
		return nil, nil
	}
	return clusters{found}, nil
}

// cleanScratch gives temporary files a place of their own, without what an earlier process left when
// it was killed. The data directory is this process's alone: the open database in it is locked.
func cleanScratch(dataDir string) error {
	dir := filepath.Join(dataDir, "tmp")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700), os.Setenv("TMPDIR", dir)); err != nil {
		return fmt.Errorf("clean temporary files: %w", err)
	}
	return nil
}

// close frees what the server holds. Nothing of it may run any more.
func (s *server) close() error {
	if s.engine != nil {
		s.engine.close()
	}
	if s.store != nil {
		return s.store.Close()
	}
	return nil
}

// run serves until ctx ends, then lets what is in progress come to its end.
func (s *server) run(ctx context.Context) error {
	handler, err := s.handler()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.settings.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := s.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, listener.Close())
	}
	web := webhook.Server(s.settings.Listen, handler)
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	s.log.InfoContext(ctx, "serving", slog.String("address", listener.Addr().String()), slog.Int64("app", s.settings.GitHub.AppID),
		slog.String("isolation", render.Isolation()))
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	s.log.InfoContext(stopping, "stopping")
	err = errors.Join(err, web.Shutdown(stopping), s.queue.Stop(stopping))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *server) handler() (http.Handler, error) {
	secrets := make([][]byte, len(s.settings.GitHub.WebhookSecrets))
	for i, secret := range s.settings.GitHub.WebhookSecrets {
		secrets[i] = []byte(secret)
	}
	receiver, err := webhook.New(webhook.Config{Secrets: secrets, Logger: s.log, Save: func(ctx context.Context, d webhook.Delivery) (bool, error) {
		headers := map[string][]string{}
		for name, value := range d.Header {
			headers[name] = []string{value}
		}
		fresh, err := s.gate.Receive(ctx, store.Delivery{
			GUID: d.GUID, Event: d.Event, Action: d.Action, InstallationID: d.InstallationID, Headers: headers, Body: d.Body,
		})
		return !fresh, err
	}})
	if err != nil {
		return nil, usage("%v", err)
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	receiver.Register(e)
	web.Register(e, web.Config{Logger: s.log, Ready: s.store.Ping, Page: func(ctx context.Context, token string) ([]byte, error) {
		page, err := s.gate.Page(ctx, token)
		if errors.Is(err, store.ErrNotFound) {
			return nil, web.ErrNotFound
		}
		return page, err
	}})
	return e, nil
}
