// What a run over rows comes to, from its counts alone. Called by whoever closes the last chunk.

/** Nothing good or skipped: failed; something failed: completed with errors. A run without a single row done has failed too. */
export function outcomeOf(counts: {
  good: number;
  failed: number;
  skipped: number;
}): 'succeeded' | 'completed_with_errors' | 'failed' {
  if (counts.good + counts.skipped === 0) return 'failed';
  return counts.failed > 0 ? 'completed_with_errors' : 'succeeded';
}
