// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"container/heap"
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrStoreFull says that a [MemoryStore] is full of revocations, none of which it may
// forget.
var ErrStoreFull = errors.New("otelaudit: the store is full of revocations")

const (
	// DefaultStoreCapacity is the number of tokens that a [MemoryStore] remembers unless told otherwise:
	// some 40 MB.
	DefaultStoreCapacity = 100_000
	// StoreRetention is how long a [MemoryStore] remembers a token that never expires.
	StoreRetention = 30 * 24 * time.Hour
)

// MemoryStore is a [Store] in the memory of one process. It is safe for concurrent
// use and needs no closing. It is bounded: when it is full the token that was not used for the longest
// time is forgotten, so that its next use counts as the first. A revocation is never forgotten before it
// expires; [MemoryStore.Revoke] and [MemoryStore.Use] fail with [ErrStoreFull] instead.
type MemoryStore struct {
	capacity int
	now      func() time.Time

	mu      sync.Mutex
	entries map[string]*memoryEntry
	used    list.List  // of *memoryEntry that are not revoked, the least recently used first
	revoked expiryHeap // of those that are
}

type memoryEntry struct {
	key     string
	memory  Memory
	expires time.Time
	element *list.Element // nil if revoked
	index   int           // in the heap, if revoked
}

var _ Store = (*MemoryStore)(nil)

// NewMemoryStore returns an empty store for capacity tokens, [DefaultStoreCapacity] if
// capacity is not positive.
func NewMemoryStore(capacity int) *MemoryStore {
	if capacity <= 0 {
		capacity = DefaultStoreCapacity
	}
	return &MemoryStore{capacity: capacity, now: time.Now, entries: map[string]*memoryEntry{}}
}

// Use implements [Store].
func (s *MemoryStore) Use(ctx context.Context, key string, by Sighting, expires time.Time) (Memory, error) {
	if err := ctx.Err(); err != nil {
		return Memory{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	e := s.find(key, now)
	if e == nil {
		if !retained(expires, now).After(now) {
			return Memory{}, nil
		}
		if !s.makeRoom(now) {
			return Memory{}, ErrStoreFull
		}
		e = s.add(key, retained(expires, now))
	}
	before := e.memory
	if !before.Used {
		e.memory.Used, e.memory.First = true, by
	}
	if e.element != nil {
		s.used.MoveToBack(e.element)
	}
	return before, nil
}

// Revoke implements [Store].
func (s *MemoryStore) Revoke(ctx context.Context, key string, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	expires = retained(expires, now)
	if !expires.After(now) {
		return nil
	}
	e := s.find(key, now)
	if e == nil {
		if !s.makeRoom(now) {
			return ErrStoreFull
		}
		e = s.add(key, expires)
	}
	if expires.After(e.expires) {
		e.expires = expires
	}
	if e.element == nil {
		heap.Fix(&s.revoked, e.index)
		return nil
	}
	s.used.Remove(e.element)
	e.element, e.memory.Revoked = nil, true
	heap.Push(&s.revoked, e)
	return nil
}

// Len is how many tokens are remembered, some of which may have expired.
func (s *MemoryStore) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

func retained(expires, now time.Time) time.Time {
	if expires.IsZero() {
		return now.Add(StoreRetention)
	}
	return expires
}

// find returns the entry of key, nil if there is none or it has expired.
func (s *MemoryStore) find(key string, now time.Time) *memoryEntry {
	e := s.entries[key]
	if e != nil && !e.expires.After(now) {
		s.remove(e)
		return nil
	}
	return e
}

func (s *MemoryStore) add(key string, expires time.Time) *memoryEntry {
	e := &memoryEntry{key: key, expires: expires}
	e.element = s.used.PushBack(e)
	s.entries[key] = e
	return e
}

func (s *MemoryStore) remove(e *memoryEntry) {
	delete(s.entries, e.key)
	if e.element != nil {
		s.used.Remove(e.element)
	} else {
		heap.Remove(&s.revoked, e.index)
	}
}

// makeRoom forgets, if need be, an expired revocation or the least recently used token.
func (s *MemoryStore) makeRoom(now time.Time) bool {
	if len(s.entries) < s.capacity {
		return true
	}
	if len(s.revoked) > 0 && !s.revoked[0].expires.After(now) {
		s.remove(s.revoked[0])
		return true
	}
	oldest := s.used.Front()
	if oldest == nil {
		return false
	}
	if e, ok := oldest.Value.(*memoryEntry); ok {
		s.remove(e)
	}
	return true
}

// expiryHeap has the entry that expires first at its root.
type expiryHeap []*memoryEntry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	e, _ := x.(*memoryEntry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
