// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/otelaudit/go/otelaudit"
)

// DefaultRetention is how long a token that never expires is remembered.
const DefaultRetention = 30 * 24 * time.Hour

// Store implements [otelaudit.Store]. It is safe for concurrent use, and holds nothing but the client,
// which stays the caller's to close.
type Store struct {
	client    redis.Scripter
	prefix    string
	retention time.Duration
}

var _ otelaudit.Store = (*Store)(nil)

// Option configures [New].
type Option interface{ apply(*Store) error }

type optionFunc func(*Store) error

func (f optionFunc) apply(s *Store) error { return f(s) }

// WithPrefix sets what each key begins with. The default is "otelaudit:".
func WithPrefix(prefix string) Option {
	return optionFunc(func(s *Store) error { s.prefix = prefix; return nil })
}

// WithRetention sets how long a token that never expires is remembered: [DefaultRetention] unless set.
func WithRetention(d time.Duration) Option {
	return optionFunc(func(s *Store) error {
		if d < time.Millisecond {
			return errors.New("redisstore: the retention must be a millisecond or more")
		}
		s.retention = d
		return nil
	})
}

// New returns a store on the server of client. It sends nothing. The client must have
// ContextTimeoutEnabled: without it go-redis ignores the deadline of a call, and a server that hangs would hold
// up every request.
func New(client redis.UniversalClient, opts ...Option) (*Store, error) {
	if client == nil {
		return nil, errors.New("redisstore: nil client")
	}
	s := &Store{client: client, prefix: "otelaudit:", retention: DefaultRetention}
	var errs []error
	if ignoresDeadlines(client) {
		errs = append(errs, errors.New("redisstore: the client ignores deadlines: set ContextTimeoutEnabled"))
	}
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o.apply(s))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func ignoresDeadlines(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return !c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return !c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return !c.Options().ContextTimeoutEnabled
	default:
		return false
	}
}

// The fields of a hash: r revoked, u used, a and g the digests of the first address and agent. Times to live
// are relative, so that the clocks of client and server need not agree.
var (
	useScript = redis.NewScript(`
local was = redis.call('HMGET', KEYS[1], 'r', 'u', 'a', 'g')
local ttl = tonumber(ARGV[3])
if not was[2] and (was[1] or ttl > 0) then
	redis.call('HSET', KEYS[1], 'u', '1', 'a', ARGV[1], 'g', ARGV[2])
	if not was[1] then
		redis.call('PEXPIRE', KEYS[1], ttl)
	end
end
return was`)
	revokeScript = redis.NewScript(`
redis.call('HSET', KEYS[1], 'r', '1')
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
	redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1`)
)

// Use implements [otelaudit.Store] in one round trip. The error wraps that of the client, or
// of ctx.
func (s *Store) Use(ctx context.Context, key string, by otelaudit.Sighting, expires time.Time) (otelaudit.Memory, error) {
	var m otelaudit.Memory
	if err := ctx.Err(); err != nil {
		return m, err
	}
	was, err := useScript.Run(ctx, s.client, []string{s.prefix + key}, by.Address, by.Agent, s.left(expires)).Slice()
	if err != nil {
		return m, fmt.Errorf("redisstore: noting a use: %w", err)
	}
	if len(was) != 4 {
		return m, fmt.Errorf("redisstore: the server answered %d values, want 4", len(was))
	}
	m.Revoked, m.Used = was[0] != nil, was[1] != nil
	m.First.Address, _ = was[2].(string)
	m.First.Agent, _ = was[3].(string)
	return m, nil
}

// Revoke implements [otelaudit.Store] in one round trip. The error wraps that of the client, or
// of ctx.
func (s *Store) Revoke(ctx context.Context, key string, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := s.left(expires)
	if left <= 0 {
		return nil
	}
	if err := revokeScript.Run(ctx, s.client, []string{s.prefix + key}, left).Err(); err != nil {
		return fmt.Errorf("redisstore: revoking: %w", err)
	}
	return nil
}

// left is how long to remember a token, in milliseconds.
func (s *Store) left(expires time.Time) int64 {
	if expires.IsZero() {
		return s.retention.Milliseconds()
	}
	return time.Until(expires).Milliseconds()
}
