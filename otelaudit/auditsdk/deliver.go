// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"context"
	"math/rand/v2"
	"time"
)

// The waits between attempts grow from minWait to maxWait, and are spread by half so that
// services which lost the same receiver do not come back at once. A pipeline that is being closed has no
// time for more than rushWait, unless the receiver asks for it.
const (
	minWait  = 100 * time.Millisecond
	maxWait  = 5 * time.Second
	rushWait = 500 * time.Millisecond
)

// courier delivers one batch after another. It gives up only when it is stopped: a batch is
// taken, or rejected record by record, or still there.
type courier struct {
	// send makes one attempt with the records [from, to) of the batch.
	send func(ctx context.Context, from, to int) verdict
	// settle is told once for each range of the batch, in order, what became of it.
	settle func(from, to int, v verdict)
	// report is told of attempts that failed, to log them.
	report func(error)
	// rush is closed when the pipeline is being closed.
	rush <-chan struct{}
}

// deliver returns nil if every record of the batch of n is settled.
func (c *courier) deliver(ctx context.Context, n int) error { return c.part(ctx, 0, n) }

func (c *courier) part(ctx context.Context, from, to int) error {
	wait := minWait
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := c.send(ctx, from, to)
		switch {
		case v.judgement == taken, v.judgement == poison && to-from == 1:
			c.settle(from, to, v)
			return nil
		case v.judgement == poison: // find the records that poison the batch
			mid := from + (to-from)/2
			if err := c.part(ctx, from, mid); err != nil {
				return err
			}
			return c.part(ctx, mid, to)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.report(v.err)
		if err := c.pause(ctx, v.wait, spread(wait)); err != nil {
			return err
		}
		wait = min(2*wait, maxWait)
	}
}

func spread(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// pause waits for asked, or for d if that is longer and there is no rush, or until ctx is done.
func (c *courier) pause(ctx context.Context, asked, d time.Duration) error {
	rush := c.rush
	for begun := time.Now(); ; {
		select {
		case <-rush:
			d, rush = min(d, rushWait), nil
		default:
		}
		left := max(asked, d) - time.Since(begun)
		if left <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(left)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-rush:
		case <-t.C:
		}
		t.Stop()
	}
}
