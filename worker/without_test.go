package worker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A tail goes on for as long as the worker does: with its slot taken, a worker with one slot would never do anything else.
func TestWhatGoesOnForeverTakesNoSlot(t *testing.T) {
	slots, err := NewSlots(1)
	require.NoError(t, err)
	require.NotNil(t, slots.TryReserveSlot(nil), "the tail's own slot, taken when its task came")
	require.Nil(t, slots.TryReserveSlot(nil))
	_, err = slots.without(func() (any, error) {
		permit := slots.TryReserveSlot(nil)
		require.NotNil(t, permit, "another activity has its place meanwhile")
		slots.shift(-1) // it ends
		return nil, nil
	})
	require.NoError(t, err)
	require.Nil(t, slots.TryReserveSlot(nil), "afterwards the slot is the tail's again, until it is released")
}
