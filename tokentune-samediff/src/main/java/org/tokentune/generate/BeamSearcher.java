package org.tokentune.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * One beam search.
 *
 * <p>Beams share the cache's rows of the prompt and of the tokens that they have in common, so
 * nothing is copied when one goes on in two ways. Source: {@code _beam_search} of transformers
 * 5.24.0.
 */
final class BeamSearcher {

  /** A text that goes on, with the sum of its log-probabilities and its rows of the cache. */
  private record Beam(int[] ids, double score, int[] rows) {}

  /** A way to go on with a beam. */
  private record Candidate(int beam, int id, double score) {

    static final Comparator<Candidate> WORST_FIRST =
        Comparator.comparingDouble(Candidate::score)
            .thenComparing(Comparator.comparingInt(Candidate::beam).reversed())
            .thenComparing(Comparator.comparingInt(Candidate::id).reversed());
  }

  /** A complete text; its score is divided by its length. */
  private record Complete(Generation text, double score) {}

  private final CachedDecoder decoder;
  private final int[] prompt;
  private final GenerationSettings settings;
  private final BeamSearch search;
  private final StopCondition stop;
  private final int most;

  /** Candidates per step: at least as many as beams do not end with an end token. */
  private final int kept;

  private final List<Complete> complete = new ArrayList<>();
  private List<Beam> beams;

  /**
   * @param context the model's positions
   */
  BeamSearcher(
      CachedDecoder decoder,
      int context,
      int[] prompt,
      GenerationSettings settings,
      StopCondition stop) {
    this.decoder = decoder;
    this.prompt = prompt;
    this.settings = settings;
    this.stop = stop;
    search = settings.search();
    most = Continuation.mostTokens(prompt, settings, context);
    kept = Math.max(2, 1 + settings.ends().size()) * search.beams();
  }

  Generation search() {
    decoder.beginBatch(Math.addExact(prompt.length, Math.multiplyExact(search.beams(), most)));
    int[] rows = Arrays.copyOf(IntStream.range(0, prompt.length).toArray(), prompt.length + most);
    beams = List.of(new Beam(new int[0], 0, rows));
    float[][] logits = {decoder.next(prompt, 0, rows)};
    int length = 1;
    while (step(logits, length)) {
      logits = next(length);
      length++;
    }
    return complete.get(0).text();
  }

  /** Whether the search goes on after choosing tokens number {@code length}. */
  private boolean step(float[][] logits, int length) {
    List<Candidate> candidates = candidates(logits);
    List<Beam> going = new ArrayList<>();
    boolean allEnded = true;
    for (int i = 0; i < candidates.size(); i++) {
      Candidate candidate = candidates.get(i);
      Beam beam = beams.get(candidate.beam());
      int[] ids = Arrays.copyOf(beam.ids(), length);
      ids[length - 1] = candidate.id();
      Generation.End end = end(ids);
      allEnded &= end != null;
      if (end == null && going.size() < search.beams()) {
        going.add(new Beam(ids, candidate.score(), beam.rows()));
      }
      if (end != null && i < search.beams()) {
        int shown = end == Generation.End.END_TOKEN ? length - 1 : length;
        complete.add(
            new Complete(
                new Generation(Arrays.copyOf(ids, shown), end),
                candidate.score() / Math.pow(length, search.lengthPenalty())));
      }
    }
    complete.sort(Comparator.comparingDouble(Complete::score).reversed());
    if (complete.size() > search.beams()) {
      complete.subList(search.beams(), complete.size()).clear();
    }
    beams = going;
    return !allEnded && !decided(length);
  }

  private Generation.End end(int[] ids) {
    if (settings.ends().contains(ids[ids.length - 1])) {
      return Generation.End.END_TOKEN;
    }
    if (stop.isComplete(prompt, ids)) {
      return Generation.End.STOP;
    }
    return ids.length == most ? Continuation.full(most, settings) : null;
  }

  /** Whether no beam can do better than the complete texts, as far as it is known. */
  private boolean decided(int length) {
    if (complete.size() < search.beams()) {
      return false;
    }
    if (search.earlyStopping() == BeamSearch.EarlyStopping.TRUE) {
      return true;
    }
    boolean atMost =
        search.earlyStopping() == BeamSearch.EarlyStopping.NEVER && search.lengthPenalty() > 0;
    double best = beams.get(0).score() / Math.pow(atMost ? most : length, search.lengthPenalty());
    return best <= complete.get(complete.size() - 1).score();
  }

  /** The best candidates, best first. */
  private List<Candidate> candidates(float[][] logits) {
    PriorityQueue<Candidate> best = new PriorityQueue<>(Candidate.WORST_FIRST);
    for (int i = 0; i < beams.size(); i++) {
      float[] scores = logProbabilities(logits[i], beams.get(i));
      for (int id = 0; id < scores.length; id++) {
        Candidate candidate = new Candidate(i, id, beams.get(i).score() + scores[id]);
        if (best.size() < kept) {
          best.add(candidate);
        } else if (Candidate.WORST_FIRST.compare(candidate, best.peek()) > 0) {
          best.poll();
          best.add(candidate);
        }
      }
    }
    List<Candidate> sorted = new ArrayList<>(best);
    sorted.sort(Candidate.WORST_FIRST.reversed());
    return sorted;
  }

  private float[] logProbabilities(float[] logits, Beam beam) {
    float largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp((double) logit - largest);
    }
    double log = largest + Math.log(sum);
    float[] result = new float[logits.length];
    for (int id = 0; id < result.length; id++) {
      result[id] = (float) (logits[id] - log);
    }
    if (settings.repetitionPenalty() != 1) {
      BitSet seen = TokenSampler.set(prompt);
      seen.or(TokenSampler.set(beam.ids()));
      TokenSampler.penalise(result, seen, settings.repetitionPenalty());
    }
    return result;
  }

  /** Logits after the beams' last tokens, each of which gets a row of its own. */
  private float[][] next(int length) {
    int position = prompt.length + length - 1;
    int[] ids = new int[beams.size()];
    int[][] rows = new int[ids.length][];
    List<Beam> written = new ArrayList<>();
    for (int i = 0; i < ids.length; i++) {
      Beam beam = beams.get(i);
      ids[i] = beam.ids()[length - 1];
      rows[i] = beam.rows().clone();
      rows[i][position] = prompt.length + (length - 1) * search.beams() + i;
      written.add(new Beam(beam.ids(), beam.score(), rows[i]));
    }
    beams = written;
    int[] positions = new int[ids.length];
    Arrays.fill(positions, position);
    return decoder.next(ids, positions, rows);
  }
}
