// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import "strings"

// rootPaths open the absolute paths, and URLs of other kinds, that are used to make a service read a file with known
// contents for its key. Base64 may begin with a slash too, so the slash alone tells nothing.
var rootPaths = []string{"file:", "php:", "data:", "gopher:", "/dev/", "/proc/", "/etc/", "/sys/", "/tmp/", "/var/", "/usr/", "/home/", "/root/", "/opt/", "/run/", "/bin/"}

// kidMarkers are in no key id that is meant as one, with what they inject.
var kidMarkers = []string{
	"../", `..\`, "..%", "..;", "./", // path
	"%00", "%2e%2e", "%0a", "%0d", "%2f", "%27", // path or line, encoded
	"'", `"`, "`", ";", "|", "<", ">", "$(", "${", "{{", "&&", // query, command, template
	" union select ", " union all ", "/*", " --", // query
}

// isKidInjection recognises key ids that aim at the code which looks keys up: a path,
// query, command or control character. Honest ids are words, digests, UUIDs, URLs,
// resource names and DIDs.
func isKidInjection(kid string) bool {
	if strings.ContainsFunc(kid, isHidden) || strings.Contains(kid, "\uFFFD") {
		return true
	}
	kid = strings.ToLower(kid)
	for _, p := range rootPaths {
		if strings.HasPrefix(kid, p) {
			return true
		}
	}
	if len(kid) > 2 && kid[1] == ':' && kid[2] == '\\' || strings.HasPrefix(kid, `\\`) || kid == ".." || strings.HasSuffix(kid, "/..") {
		return true
	}
	// A word may stand in a name; with a comparison it is a condition.
	if strings.Contains(kid, "=") && (strings.Contains(kid, " or ") || strings.Contains(kid, " and ")) {
		return true
	}
	for _, m := range kidMarkers {
		if strings.Contains(kid, m) {
			return true
		}
	}
	return false
}
