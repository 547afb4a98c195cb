// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

// Command compare shows what the stock pipeline of the OpenTelemetry SDK and auditsdk lose when their
// receiver fails: the same events, at the same rate, against the same faults, on real sockets.
//
//	go run ./otelaudit/auditsdk/compare          # outages of seconds
//	go run ./otelaudit/auditsdk/compare -full    # the minute's outage at 2,000 events/s, too
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() {
	full := flag.Bool("full", false, "also the minute's outage at 2,000 events/s")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *full); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, full bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tpipeline\temitted\trefused\trejected\tlost\ttwice\ttold\t")
	for _, f := range faults(full) {
		for _, p := range pipelines {
			r, err := play(ctx, f, p)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", f.name, p.name, err)
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", f.name, p.name, r.emitted, r.refused, r.rejected, r.lost, r.twice, r.told)
		}
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, `refused: the caller got an error. rejected: by the receiver, for ever. lost: never arrived, and neither of the two.
twice: arrived again, with the same log.record.uid. told: lost events that the pipeline's own books or events tell of.`)
	return nil
}
