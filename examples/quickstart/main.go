// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Command quickstart shows what otelaudit records: an identity provider, an orders
// API and an OTLP receiver in one process, a scripted story of good and bad
// requests, and every audit event as it arrives over OTLP.
//
//	go run ./examples/quickstart          # then serves until Ctrl-C
//	go run ./examples/quickstart -exit    # ends after the story
//	go run ./examples/quickstart -json    # OTLP JSON lines on standard output
//
// With OTEL_EXPORTER_OTLP_ENDPOINT set, the events go there instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/otelaudit/go/otelaudit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	exit := flags.Bool("exit", false, "end after the story; the exit code is 1 if an expected event did not arrive")
	asJSON := flags.Bool("json", false, "print what arrives as OTLP JSON lines; the narration goes to standard error")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	ok, err := play(ctx, *exit, *asJSON, stdout, stderr)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "quickstart:", err)
		return 1
	case !ok:
		return 1
	}
	return 0
}

// play starts everything, tells the story, and shuts everything down.
func play(ctx context.Context, exit, asJSON bool, stdout, stderr io.Writer) (ok bool, err error) {
	out := newPrinter(stdout, stderr, asJSON)
	external := externalEndpoint()
	rec := newReceiver(out.received)
	var servers closers
	defer func() { err = errors.Join(err, servers.close()) }()

	if external == "" {
		base, err := servers.serve(rec)
		if err != nil {
			return false, err
		}
		defer setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base)()
	}
	tel, err := newTelemetry(ctx)
	if err != nil {
		return false, err
	}
	// Deferred calls run last to first: servers, then the telemetry, then the
	// receiver, so that the last events still have somewhere to go.
	defer func() { err = errors.Join(err, tel.shutdown()) }()

	var opts []otelaudit.Option
	elsewhere := otherAddress(ctx)
	if elsewhere == nil {
		opts = append(opts, otelaudit.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8")))
	}
	audit, err := otelaudit.New(opts...)
	if err != nil {
		return false, err
	}

	var apps closers
	defer func() { err = errors.Join(err, apps.close()) }()
	seen := &vault{}
	idp, err := newIDP(audit, seen)
	if err != nil {
		return false, err
	}
	if idp.url, err = apps.serve(idp.handler()); err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	open := func() (o *orders, err error) {
		if o, err = newOrders(ctx, audit, idp.url, idp.revoked); err == nil {
			o.url, err = apps.serve(o.handler())
		}
		return o, err
	}
	s := newStory(idp, open, seen, tel, rec, out, external != "", elsewhere)
	defer s.close()
	if err := s.tell(ctx); err != nil {
		return false, err
	}
	if err := tel.flush(ctx); err != nil {
		return false, err
	}
	ok = s.summary()
	rec.forget()
	if exit {
		return ok, nil
	}
	if err := s.invite(ctx); err != nil {
		return false, err
	}
	<-ctx.Done()
	return ok, nil
}

// setenv sets an environment variable and returns what puts it back.
func setenv(name, value string) func() {
	old, had := os.LookupEnv(name)
	_ = os.Setenv(name, value)
	return func() {
		if had {
			_ = os.Setenv(name, old)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}

// closers are servers on loopback sockets.
type closers []*http.Server

// serve starts h on a free port and returns its base URL.
func (c *closers) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	*c = append(*c, srv)
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}

func (c closers) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for i := len(c) - 1; i >= 0; i-- {
		err = errors.Join(err, c[i].Shutdown(ctx))
	}
	return err
}
