// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"errors"
	"sync"
)

// reporter tells the host of each kind of failure once, until the pipeline works again: an
// outage must not fill the log that is looked at because of it.
type reporter struct {
	handle func(error)

	mu   sync.Mutex
	told map[string]bool
}

func (r *reporter) report(err error) {
	if err == nil {
		return
	}
	text := kind(err)
	r.mu.Lock()
	fresh := !r.told[text] && len(r.told) < maxTold
	if fresh {
		if r.told == nil {
			r.told = map[string]bool{}
		}
		r.told[text] = true
	}
	r.mu.Unlock()
	if fresh {
		defer func() { _ = recover() }() // the host's handler
		r.handle(err)
	}
}

// maxTold bounds the kinds of one outage.
const maxTold = 16

func (r *reporter) recovered() {
	r.mu.Lock()
	clear(r.told)
	r.mu.Unlock()
}

// kind is the text of the innermost error: those around it tell ports.
func kind(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
