package ingest

import "time"

// lineTime is the time at the beginning of a line, in nanoseconds since 1970, and 0 when there is none. It knows ISO 8601 as
// most loggers write it: "2026-11-22T05:33:43.123Z", "[2026-11-22 05:33:43,123", with or without a zone, which else is the
// host's. It is written out because time.Parse would take longer than everything else that is done to a line.
func lineTime(text string, zone *time.Location) int64 {
	if len(text) > 0 && text[0] == '[' {
		text = text[1:]
	}
	const shape = "0000-00-00 00:00:00"
	if len(text) < len(shape) || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' || text[10] != 'T' && text[10] != ' ' {
		return 0
	}
	year, month, day := digits(text[:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	if year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0
	}
	nanos, rest := fraction(text[len(shape):])
	if offset, ok := zoneOffset(rest); ok {
		return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC).UnixNano() - offset
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, zone).UnixNano()
}

// digits is the number that text is, or -1.
func digits(text string) int {
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return -1
		}
		n = n*10 + int(text[i]-'0')
	}
	return n
}

// fraction reads the part of a second that text may begin with.
func fraction(text string) (nanos int, rest string) {
	if len(text) < 2 || text[0] != '.' && text[0] != ',' || text[1] < '0' || text[1] > '9' {
		return 0, text
	}
	i, unit := 1, 100_000_000
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		nanos += int(text[i]-'0') * unit
		unit /= 10
	}
	return nanos, text[i:]
}

// zoneOffset reads "Z", "+01:00" or "-0700" in nanoseconds east of Greenwich.
func zoneOffset(text string) (offset int64, ok bool) {
	switch {
	case text == "":
		return 0, false
	case text[0] == 'Z':
		return 0, true
	case text[0] != '+' && text[0] != '-' || len(text) < 5:
		return 0, false
	}
	minutes := text[3:5]
	if text[3] == ':' {
		if len(text) < 6 {
			return 0, false
		}
		minutes = text[4:6]
	}
	h, m := digits(text[1:3]), digits(minutes)
	if h < 0 || m < 0 {
		return 0, false
	}
	offset = int64(h)*int64(time.Hour) + int64(m)*int64(time.Minute)
	if text[0] == '-' {
		offset = -offset
	}
	return offset, true
}
