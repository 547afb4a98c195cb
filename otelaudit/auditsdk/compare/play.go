// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/auditsdk/internal/receiver"
)

// result is what became of the events.
type result struct {
	emitted, refused, rejected, lost, twice, told int
}

// play emits the events of f through p and counts what arrives.
func play(ctx context.Context, f fault, p pipeline) (result, error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) // the table tells
	r := receiver.New()
	if f.answer != nil {
		r.Answer = f.answer()
	}
	if err := r.Start(); err != nil {
		return result{}, err
	}
	defer r.Stop()
	o, err := p.open(ctx, r.URL())
	if err != nil {
		return result{}, err
	}
	audit, err := otelaudit.New(otelaudit.WithLoggerProvider(o.provider))
	if err != nil {
		return result{}, err
	}
	var res result
	back := make(chan error, 1)
	back <- nil
	start := time.Now()
	for i := range f.events {
		if f.down > 0 && i == f.events/4 {
			<-back
			r.Stop()
			time.AfterFunc(f.down, func() { back <- r.Start() })
		}
		if due := start.Add(time.Duration(i) * time.Second / time.Duration(f.rate)); time.Until(due) > time.Millisecond {
			time.Sleep(time.Until(due))
		}
		res.emitted++
		if audit.Login(ctx, otelaudit.Login{Method: "password", UserID: fmt.Sprint("user-", i)}) != nil {
			res.refused++
		}
	}
	if err := <-back; err != nil {
		return result{}, err
	}
	_ = o.close() // what it could not deliver is in the table
	res.count(r, o)
	return res, nil
}

func (res *result) count(r *receiver.Receiver, o *opened) {
	seen := r.Seen()
	for _, n := range seen {
		if n > 1 {
			res.twice++
		}
	}
	books := o.books()
	res.rejected = int(books.Rejected)
	res.told = int(books.Lost)
	res.lost = max(0, res.emitted+o.own-len(seen)-res.refused-res.rejected)
}
