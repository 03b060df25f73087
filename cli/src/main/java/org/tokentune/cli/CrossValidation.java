package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.ModelWriter;
import org.tokentune.files.RunFolder;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Scores;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.RunSettings;
import org.tokentune.train.Trainer;

/**
 * Trains once for each fold, and scores the fold. A fold that is done is not trained again when the
 * cross-validation is resumed.
 *
 * @param output the folder, which has one for each fold
 * @param identity of data and settings, on which the scores depend
 * @param settings of each training
 * @param metrics that decide which validation is best
 */
record CrossValidation(
    Path output,
    String identity,
    TuningSettings settings,
    List<Metric> metrics,
    RunOptions runOptions,
    boolean overwrite,
    PrintWriter out) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** All scores, in the output folder. */
  private static final String ALL = "folds.json";

  private static final String IDENTITY = "identity";

  /**
   * Rejects a folder with something else in it, or the folds of another cross-validation.
   *
   * @throws BadInputException if there is something that is not to be replaced
   */
  void check() {
    if (!Files.exists(output)) {
      ModelWriter.checkWritable(output);
      return;
    }
    try (Stream<Path> entries = Files.list(output)) {
      if (!entries.allMatch(
          entry -> entry.getFileName().toString().matches("fold-[0-9]+|folds[.]json"))) {
        throw new BadFileException(
            "%s holds files that do not belong to a cross-validation; name a new or an empty folder.",
            output);
      }
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be listed; name another folder.", output);
    }
    boolean begun =
        Files.exists(output.resolve(ALL)) || RunFolder.newestCheckpoint(folder(1)).isPresent();
    if (begun && !overwrite && !runOptions.resumes()) {
      throw new BadFileException(
          "%s already holds folds; resume them with --resume auto, name another folder with --output, or"
              + " replace them with %s.",
          output, OutputOptions.OVERWRITE);
    }
  }

  private Path folder(int fold) {
    return output.resolve("fold-" + fold);
  }

  /**
   * Trains.
   *
   * @param jobs the training of each fold, whose test rows are the fold
   * @param begin first line of each fold's log
   * @return the scores; null if it was interrupted
   */
  ObjectNode run(List<Function<ModelFiles, TrainingJob>> jobs, ModelFiles files, ObjectNode begin) {
    boolean startsOver = overwrite && !runOptions.resumes();
    ObjectNode all = startsOver ? empty() : done();
    ArrayNode scores = (ArrayNode) all.path("folds");
    for (JsonNode one : scores) {
      out.printf(Locale.ROOT, "Fold %d is done: %s%n", one.path("fold").asInt(), line(values(one)));
    }
    for (int fold = scores.size() + 1; fold <= jobs.size(); fold++) {
      try (RunFolder folder = RunFolder.lock(folder(fold))) {
        if (startsOver) {
          folder.removeCheckpoints();
        }
        ObjectNode one;
        try (TrainingJob job = jobs.get(fold - 1).apply(files)) {
          one = train(job, folder, fold, jobs.size(), begin);
        }
        if (one == null) {
          out.printf(
              Locale.ROOT,
              "Stopped in fold %d of %d; --resume auto with --output %s goes on.%n",
              fold,
              jobs.size(),
              output);
          out.flush();
          return null;
        }
        scores.add(one);
        write(all);
        folder.removeCheckpoints();
      }
    }
    return summary(all);
  }

  private ObjectNode empty() {
    ObjectNode all = MAPPER.createObjectNode();
    all.put(IDENTITY, identity).putArray("folds");
    return all;
  }

  /** The folds that are done. */
  private ObjectNode done() {
    Path file = output.resolve(ALL);
    if (!Files.exists(file)) {
      return empty();
    }
    try {
      if (MAPPER.readTree(file.toFile()) instanceof ObjectNode all
          && all.path(IDENTITY).asText().equals(identity)
          && all.path("folds").isArray()) {
        return all;
      }
    } catch (IOException e) {
      throw new BadFileException(
          e, "%s cannot be read: %s; start over with %s.", file, e, OutputOptions.OVERWRITE);
    }
    throw new BadFileException(
        "%s belongs to a cross-validation with other data or settings; use the same, name another"
            + " folder with --output, or start over with %s.",
        file, OutputOptions.OVERWRITE);
  }

  /** Null if it was interrupted. */
  private ObjectNode train(
      TrainingJob job, RunFolder folder, int fold, int folds, ObjectNode begin) {
    RunSettings run = runOptions.settings(folder, metrics);
    out.printf(Locale.ROOT, "Fold %d of %d: %s%n", fold, folds, job.counts());
    out.flush();
    try (TrainingLog log = runOptions.log(folder, run, begin, job.labels());
        Interrupt interrupt = new Interrupt();
        TrainingProgress progress = new TrainingProgress(out, false)) {
      Trainer.Outcome outcome;
      try {
        outcome = job.train(settings.withRun(run), log.andThen(progress).andThen(interrupt));
      } catch (BadInputException e) {
        log.failed(e);
        throw e;
      }
      progress.end();
      log.end(outcome);
      if (outcome.stopped()) {
        return null;
      }
      Scores scores = job.test().orElseThrow();
      ObjectNode json = MAPPER.createObjectNode().put("fold", fold);
      json.put("steps", outcome.steps()).put("best_epoch", outcome.epoch());
      ScoresReport.put(json, scores, job.labels());
      out.printf(Locale.ROOT, "Fold %d: %s%n", fold, line(values(json)));
      out.flush();
      return json;
    }
  }

  private void write(ObjectNode json) {
    new OutputFile(output.resolve(ALL))
        .write(out -> out.write(json.toPrettyString().getBytes(StandardCharsets.UTF_8)));
  }

  /** The scores, by name. */
  private static Map<String, Double> values(JsonNode scores) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (Metric metric : Metric.values()) {
      String name = ScoresReport.field(metric);
      if (scores.path(name).isNumber()) {
        values.put(name, scores.path(name).doubleValue());
      }
    }
    return values;
  }

  private static String line(Map<String, Double> values) {
    StringBuilder line = new StringBuilder();
    values.forEach(
        (name, value) ->
            line.append(line.isEmpty() ? "" : ", ")
                .append(String.format(Locale.ROOT, "%s %.4f", name, value)));
    return line.toString();
  }

  /** Prints and writes mean and standard deviation. */
  private ObjectNode summary(ObjectNode all) {
    List<JsonNode> scores = new ArrayList<>();
    all.path("folds").forEach(scores::add);
    ObjectNode means = all.putObject("mean");
    ObjectNode deviations = all.putObject("standard_deviation");
    out.printf(Locale.ROOT, "Mean and standard deviation over %d folds:%n", scores.size());
    for (String name : values(scores.get(0)).keySet()) {
      double[] values =
          scores.stream().mapToDouble(one -> one.path(name).asDouble(Double.NaN)).toArray();
      double mean = mean(values);
      double deviation = deviation(values);
      means.put(name, mean);
      deviations.put(name, deviation);
      out.printf(Locale.ROOT, "  %s %.4f +- %.4f%n", name, mean, deviation);
    }
    write(all);
    out.printf(Locale.ROOT, "The scores are in %s%n", output.resolve(ALL));
    out.flush();
    return all;
  }

  static double mean(double... values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** Of a sample: the sum of squares is divided by one less than the number of values. */
  static double deviation(double... values) {
    double mean = mean(values);
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (values.length - 1));
  }
}
