// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// want is an event that a step must cause, in the short form "name outcome reason",
// with an optional fourth word for the client address.
type want string

func (w want) matches(e event) bool {
	f := strings.Fields(string(w))
	reason := ""
	if len(f) > 2 && f[2] != "-" {
		reason = f[2]
	}
	return e.name == "otelaudit."+f[0] && e.outcome == f[1] && e.reason == reason && (len(f) < 4 || e.from == f[3])
}

// story is the script and its stage.
type story struct {
	idp       *idp
	open      func() (*orders, error)
	orders    *orders // once opened
	seen      *vault
	tel       *telemetry
	rec       *receiver
	out       *printer
	external  bool
	client    *http.Client
	elsewhere *http.Client // nil if this system has but one loopback address
	token     string
	arrived   int
	all       []event
	absent    []string
}

// dialFrom returns a client whose connections come from the address local.
func dialFrom(local string) *http.Client {
	d := &net.Dialer{Timeout: 3 * time.Second}
	if local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: d.DialContext}}
}

// secondAddress is another loopback address: all of 127.0.0.0/8 is on Linux.
var secondAddress = "127.0.0.2"

// forwardedAddress is what a proxy tells where there is only one (RFC 5737).
const forwardedAddress = "203.0.113.7"

// otherAddress returns a client with another address than 127.0.0.1, or nil.
func otherAddress(ctx context.Context) *http.Client {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", secondAddress+":0")
	if err != nil {
		return nil
	}
	_ = l.Close()
	return dialFrom(secondAddress)
}

func newStory(p *idp, open func() (*orders, error), seen *vault, tel *telemetry, rec *receiver, out *printer, external bool, elsewhere *http.Client) *story {
	return &story{idp: p, open: open, seen: seen, tel: tel, rec: rec, out: out,
		external: external, client: dialFrom(""), elsewhere: elsewhere}
}

func (s *story) close() {
	s.client.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	if s.elsewhere != nil {
		s.elsewhere.CloseIdleConnections()
	}
}

type step struct {
	title string
	do    func(context.Context) error
	wants []want
}

func (s *story) tell(ctx context.Context) error {
	s.out.say("identity provider %s", s.idp.url)
	if s.external {
		s.out.say("events go to %s", externalEndpoint())
	} else if !s.out.json {
		s.out.columns()
	}
	for i, st := range s.steps() {
		s.out.title(fmt.Sprintf("%d. %s", i+1, st.title))
		if err := st.do(ctx); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		if err := s.await(ctx, st.wants); err != nil {
			return err
		}
	}
	return nil
}

// await flushes until the events that are wanted have arrived.
func (s *story) await(ctx context.Context, wants []want) error {
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := s.tel.logs.ForceFlush(ctx); err != nil {
			return fmt.Errorf("the events could not be delivered: %w", err)
		}
		if s.external {
			return nil
		}
		got := s.rec.since(s.arrived)
		left := unmet(wants, got)
		if len(left) == 0 || time.Now().After(deadline) {
			s.arrived += len(got)
			s.all = append(s.all, got...)
			s.absent = append(s.absent, left...)
			return nil
		}
	}
}

// unmet returns the wants that no event of its own meets.
func unmet(wants []want, got []event) (left []string) {
	used := make([]bool, len(got))
next:
	for _, w := range wants {
		for i, e := range got {
			if !used[i] && w.matches(e) {
				used[i] = true
				continue next
			}
		}
		left = append(left, string(w))
	}
	return left
}

// login logs in by the form and returns the status and the token.
func (s *story) login(ctx context.Context, name, password string) (int, string, error) {
	resp, err := s.post(ctx, s.idp.url+"/login", url.Values{"username": {name}, "password": {password}})
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if resp.StatusCode == http.StatusOK {
		err = json.NewDecoder(resp.Body).Decode(&body)
	}
	return resp.StatusCode, body.AccessToken, err
}

func (s *story) post(ctx context.Context, to string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.client.Do(req)
}

// call sends a token to the orders API and checks the status of the answer.
func (s *story) call(ctx context.Context, c *http.Client, method, path, raw, forwarded string, status int) error {
	req, err := http.NewRequestWithContext(ctx, method, s.orders.url+path, nil)
	if err != nil {
		return err
	}
	if raw != "" {
		s.seen.add(raw)
		req.Header.Set("Authorization", "Bearer "+raw)
	}
	if forwarded != "" {
		req.Header.Set("X-Forwarded-For", forwarded)
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != status {
		return fmt.Errorf("%s %s answered %d, want %d", method, path, resp.StatusCode, status)
	}
	return nil
}

func (s *story) get(ctx context.Context, raw string, status int) error {
	return s.call(ctx, s.client, http.MethodGet, "/orders", raw, "", status)
}

// with sends a token that the provider signed after change.
func (s *story) with(ctx context.Context, change func(jwt.MapClaims), old bool, status int) error {
	claims := s.idp.claims("alice")
	change(claims)
	raw, err := s.idp.issue(ctx, claims, old)
	if err != nil {
		return err
	}
	return s.get(ctx, raw, status)
}

// forge signs the claims of a good token by other means than the provider.
func (s *story) forge(method jwt.SigningMethod, kid string, key any) (string, error) {
	t := jwt.NewWithClaims(method, s.idp.claims("alice"))
	t.Header["kid"] = kid
	return t.SignedString(key)
}

// tamper flips a bit in the signature.
func tamper(raw string) (string, error) {
	dot := strings.LastIndexByte(raw, '.')
	sig, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
	if err != nil || len(sig) == 0 {
		return "", fmt.Errorf("a token without a signature: %w", err)
	}
	sig[len(sig)/2] ^= 1
	return raw[:dot+1] + base64.RawURLEncoding.EncodeToString(sig), nil
}
