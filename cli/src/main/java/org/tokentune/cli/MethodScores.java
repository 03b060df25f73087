package org.tokentune.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tokentune.objectives.Metric;

/**
 * What a method reached on a task: means over its seeds.
 *
 * @param method name
 * @param seeds their number
 * @param metric what the score is
 * @param score mean
 * @param error its standard error; NaN of a single seed
 * @param megabytes of the largest step, and everything that stays between steps
 * @param seconds of a training and its evaluation
 */
record MethodScores(
    String method,
    int seeds,
    Metric metric,
    double score,
    double error,
    double megabytes,
    double seconds) {

  /** The methods of each task, in the order in which they ran. */
  static Map<String, List<MethodScores>> byTask(List<MethodRun> runs) {
    Map<String, Map<String, List<MethodRun>>> ended =
        runs.stream()
            .filter(MethodRun::ended)
            .collect(
                Collectors.groupingBy(
                    MethodRun::task,
                    LinkedHashMap::new,
                    Collectors.groupingBy(
                        MethodRun::method, LinkedHashMap::new, Collectors.toList())));
    Map<String, List<MethodScores>> scores = new LinkedHashMap<>();
    ended.forEach(
        (task, methods) ->
            scores.put(task, methods.values().stream().map(MethodScores::of).toList()));
    return scores;
  }

  private static MethodScores of(List<MethodRun> runs) {
    int n = runs.size();
    double mean = runs.stream().mapToDouble(MethodRun::score).average().orElseThrow();
    double squares = runs.stream().mapToDouble(run -> Math.pow(run.score() - mean, 2)).sum();
    return new MethodScores(
        runs.get(0).method(),
        n,
        runs.get(0).metric(),
        mean,
        n > 1 ? Math.sqrt(squares / (n - 1) / n) : Double.NaN,
        runs.stream().mapToDouble(MethodRun::megabytes).max().orElseThrow(),
        runs.stream().mapToDouble(MethodRun::seconds).average().orElseThrow());
  }

  /** The score in hundredths, and its standard error if there is one. */
  String shown() {
    return Double.isNaN(error)
        ? String.format(Locale.ROOT, "%.1f", 100 * score)
        : String.format(Locale.ROOT, "%.1f ± %.1f", 100 * score, 100 * error);
  }
}
