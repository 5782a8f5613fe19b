// Package standalone is the main function of the doubles of cloud platforms: one of them in a process of its own, for a look by
// hand, with the faults of package cloudfault in front of it.
//
// It imports cloudfault and httpserve only; each command below test/doubles/cmd adds its double's flags.
package standalone
