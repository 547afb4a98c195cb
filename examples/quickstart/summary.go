// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// summary counts what arrived and checks it. It returns whether all is well.
func (s *story) summary() bool {
	s.out.title("Summary")
	if s.external {
		s.out.say("  The events went to %s: the check for expected events is skipped.", externalEndpoint())
		return true
	}
	s.arrive()
	counts := map[string]int{}
	for _, e := range s.all {
		counts[fmt.Sprintf("%-18s  %-7s  %s", strings.TrimPrefix(e.name, "otelaudit."), e.outcome, dash(e.reason))]++
	}
	rows := make([]string, 0, len(counts))
	for k := range counts {
		rows = append(rows, k)
	}
	sort.Strings(rows)
	for _, k := range rows {
		s.out.say("  %4d  %s", counts[k], k)
	}
	s.out.say("  %4d  events in all", len(s.all))
	for _, w := range s.absent {
		s.out.say("  MISSING  %s", w)
	}
	if len(s.absent) == 0 {
		s.out.say("  Every expected event arrived.")
	}
	return s.noTokens() && len(s.absent) == 0
}

// arrive takes in what came after the last step.
func (s *story) arrive() {
	late := s.rec.since(s.arrived)
	s.arrived += len(late)
	s.all = append(s.all, late...)
}

// noTokens looks for every token, and the parts of it that tell or prove
// something, in all that was received: logs, traces and metrics.
func (s *story) noTokens() bool {
	tokens, leaks := map[string]bool{}, 0
	for _, raw := range s.seen.all() {
		if tokens[raw] {
			continue
		}
		tokens[raw] = true
		parts := strings.Split(raw, ".")
		for _, part := range append(parts[1:], raw) {
			if len(part) >= 16 && s.rec.contains(part) {
				leaks++
				break
			}
		}
	}
	for _, u := range s.idp.users {
		if s.rec.contains(u.password) {
			leaks++
		}
	}
	if leaks > 0 {
		s.out.say("  LEAK  %d tokens or passwords were found in what was received.", leaks)
		return false
	}
	s.out.say("  None of the %d tokens, nor the payload or signature of one, nor a password is in the %d bytes received.",
		len(tokens), s.rec.size())
	return true
}

// invite tells how to go on, with a token that works.
func (s *story) invite(ctx context.Context) error {
	status, raw, err := s.login(ctx, "alice", s.idp.users["alice"].password)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("the last login answered %d: %w", status, err)
	}
	s.out.title("Try it")
	s.out.say("  curl -i -H 'Authorization: Bearer %s' %s/orders", raw, s.orders.url)
	s.out.title("Where next")
	s.out.say("  README.md says how to instrument your own service.")
	s.out.say("  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 sends the events to a collector instead.")
	s.out.say("  Serving until Ctrl-C.")
	return nil
}
