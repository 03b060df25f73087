package org.tokentune.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tokentune.BadFileException;
import org.tokentune.bench.Parity;
import org.tokentune.objectives.Metric;
import org.tokentune.objectives.Rankings;
import org.tokentune.objectives.Retrieval;
import org.tokentune.text.SquadScores;

/**
 * Compares metrics with those that another implementation recorded, in a JSON file.
 *
 * <p>Of retrieval: {@code vectors} by name, the {@code relevant} names of each query, {@code
 * retrieval} as sentence-transformers' evaluator names its results; {@code pairs} with {@code gold}
 * scores, and their {@code similarity}. Of SQuAD 2.0: {@code rows} with {@code answers}, {@code
 * prediction} and {@code no_answer_probability}; {@code metrics} without, and {@code
 * metrics_with_threshold} with a {@code threshold}.
 */
final class MetricsParity {

  private MetricsParity() {}

  /** The files of recorded metrics in a folder, or the file itself. */
  static List<Path> files(Path path) {
    if (Files.isRegularFile(path) && path.toString().endsWith(".json")) {
      return List.of(path);
    }
    List<Path> files = new ArrayList<>();
    for (String name : List.of("retrieval.json", "squad2.json")) {
      if (Files.isRegularFile(path.resolve(name))) {
        files.add(path.resolve(name));
      }
    }
    return files;
  }

  /** A row for each metric, with the absolute difference. */
  static List<Parity.Row> compare(Path file) {
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new BadFileException(e, "%s cannot be read as JSON: %s.", file, e.getMessage());
    }
    if (json.has("retrieval")) {
      return retrieval(json);
    }
    if (json.path("rows").isArray()) {
      return squad(json);
    }
    throw new BadFileException(
        "%s has neither retrieval nor rows, so it holds no metrics; name another file.", file);
  }

  private static List<Parity.Row> retrieval(JsonNode json) {
    Map<String, float[]> vectors = new LinkedHashMap<>();
    json.path("vectors")
        .fields()
        .forEachRemaining(
            entry -> vectors.put(entry.getKey(), Retrieval.normalized(floats(entry.getValue()))));
    Set<String> queries = new HashSet<>();
    json.path("relevant").fieldNames().forEachRemaining(queries::add);
    List<String> documents = vectors.keySet().stream().filter(n -> !queries.contains(n)).toList();
    float[][] matrix = documents.stream().map(vectors::get).toArray(float[][]::new);
    Rankings rankings = new Rankings();
    json.path("relevant")
        .fields()
        .forEachRemaining(
            query -> {
              int[] best = Retrieval.nearest(vectors.get(query.getKey()), matrix, Rankings.DEPTH);
              Set<String> relevant = new HashSet<>();
              query.getValue().forEach(name -> relevant.add(name.asText()));
              rankings.add(Arrays.stream(best).mapToObj(documents::get).toList(), relevant);
            });
    Map<String, Double> ours = new HashMap<>();
    rankings
        .metrics()
        .forEach(
            (metric, value) ->
                ours.put("cosine_" + ScoresReport.field(metric).replace("_at_", "@"), value));
    List<Double> cosines = new ArrayList<>();
    List<Double> gold = new ArrayList<>();
    for (int i = 0; i < json.path("pairs").size(); i++) {
      float[] a = vectors.get(json.path("pairs").path(i).path(0).asText());
      float[] b = vectors.get(json.path("pairs").path(i).path(1).asText());
      double cosine = 0;
      for (int j = 0; j < a.length; j++) {
        cosine += (double) a[j] * b[j];
      }
      cosines.add(cosine);
      gold.add(json.path("gold").path(i).asDouble());
    }
    Map<Metric, Double> correlations = Retrieval.correlations(cosines, gold);
    ours.put("pearson_cosine", correlations.get(Metric.PEARSON));
    ours.put("spearman_cosine", correlations.get(Metric.SPEARMAN));
    List<Parity.Row> rows = new ArrayList<>(rows("", json.path("retrieval"), ours));
    rows.addAll(rows("", json.path("similarity"), ours));
    return rows;
  }

  private static float[] floats(JsonNode list) {
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i).floatValue();
    }
    return values;
  }

  private static List<Parity.Row> squad(JsonNode json) {
    List<SquadScores.Answered> sure = new ArrayList<>();
    List<SquadScores.Answered> answered = new ArrayList<>();
    for (JsonNode row : json.path("rows")) {
      List<String> answers = new ArrayList<>();
      row.path("answers").forEach(answer -> answers.add(answer.asText()));
      String prediction = row.path("prediction").asText();
      double none = row.path("no_answer_probability").asDouble();
      sure.add(new SquadScores.Answered(answers, prediction, 0));
      answered.add(new SquadScores.Answered(answers, prediction, none));
    }
    double threshold = json.path("threshold").asDouble(1);
    List<Parity.Row> rows =
        new ArrayList<>(rows("", json.path("metrics"), SquadScores.of(sure, 1)));
    rows.addAll(
        rows(
            "threshold ",
            json.path("metrics_with_threshold"),
            SquadScores.of(answered, threshold)));
    return rows;
  }

  private static List<Parity.Row> rows(String prefix, JsonNode recorded, Map<String, Double> ours) {
    List<Parity.Row> rows = new ArrayList<>();
    recorded
        .fields()
        .forEachRemaining(
            entry -> {
              Double own = ours.get(entry.getKey());
              double error = own == null ? Double.NaN : Math.abs(own - entry.getValue().asDouble());
              rows.add(new Parity.Row(prefix + entry.getKey(), error));
            });
    return rows;
  }
}
