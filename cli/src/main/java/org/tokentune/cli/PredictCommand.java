package org.tokentune.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.text.AnswerModel;
import org.tokentune.text.Explanation;
import org.tokentune.text.Prediction;
import org.tokentune.text.TextModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Predicts texts. */
@Command(
    name = "predict",
    sortOptions = false,
    description =
        "Predicts texts with a trained model, a line each: label, probability, text; for questions"
            + " about a text (--input FILE --text question,context), the answer.",
    mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {

  /** Printed for a word without a tag, so that tags and words have the same count. */
  private static final String NO_TAG = "_";

  /** Printed for a question that the text does not answer. */
  private static final String NO_ANSWER = "(no answer)";

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder of a trained model; with --adapter, the base.")
  private String model;

  @Mixin private AppliedAdapters adapters;
  @Mixin private StoredWeights weights;

  @Option(
      names = "--explain",
      description = {
        "Say which tokens made the decision: under each text those whose absence changes the logit of",
        "the label most (--top), with how much it falls without the token, gradient times input, and the",
        "token. Takes a forward pass for every token."
      })
  private boolean explain;

  @Option(
      names = "--top",
      paramLabel = "N",
      description = "Tokens that --explain prints for a text; default ${DEFAULT-VALUE}.")
  private int top = 10;

  @Option(
      names = "--html",
      paramLabel = "FILE.html",
      description = "Also write --explain's result as a page with coloured texts.")
  private Path html;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = "Most tokens of a text; default: as the model was trained.")
  private Integer maxLength;

  @Mixin private LongTextOptions longTexts;
  @Mixin private InputTexts input;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Option(
      names = "--query",
      paramLabel = "SQL",
      description = {
        "The query that gives the rows, where --input is a database: a JDBC address such as",
        "jdbc:duckdb:reviews.duckdb, whose driver is on the class path."
      })
  void query(String sql) {
    input.query(sql);
  }

  @Override
  public Integer call() {
    check();
    PrintWriter out = spec.commandLine().getOut();
    List<Example> rows = input.rows();
    try (ModelFiles files = Models.open(model);
        TextModel trained = adapters.open(files, weights.storage())) {
      List<Explanation> explanations = explain ? trained.explain(rows) : List.of();
      List<Prediction> predictions =
          explain
              ? explanations.stream().map(Explanation::prediction).toList()
              : predict(trained, rows);
      ObjectNode result = JsonOption.object();
      result.put("model", model);
      ArrayNode all = result.putArray("predictions");
      boolean ranks = trained.labels().task() == Objectives.RERANK;
      RankedPairs ranked = ranks ? RankedPairs.of(rows, predictions) : null;
      for (int at = 0; at < rows.size(); at++) {
        int i = ranks ? ranked.order().get(at) : at;
        Prediction prediction = predictions.get(i);
        Example row = rows.get(i);
        out.printf(
            Locale.ROOT,
            "%s%s%s\t%s%s%n",
            ranks ? ranked.ranks().get(at) + "\t" : "",
            line(prediction, trained.labels().task()),
            prediction.cut() > 0 ? " ..." : "",
            Printable.line(row.text()),
            row.pair() == null ? "" : "\t" + Printable.line(row.pair()));
        ObjectNode node = all.addObject();
        node.put("text", row.text());
        if (row.pair() != null) {
          node.put("pair", row.pair());
        }
        if (ranks) {
          node.put("rank", ranked.ranks().get(at));
        }
        prediction.labels().forEach(node.putArray("labels")::add);
        if (prediction.cut() > 0) {
          node.put("cut", prediction.cut());
        }
        prediction.scores().forEach(node.putObject("scores")::put);
        if (explain) {
          print(explanations.get(i), out);
          put(explanations.get(i), node);
        }
      }
      out.flush();
      writePage(rows, explanations);
      json.write(result);
    }
    return 0;
  }

  private void check() {
    json.check();
    if (html != null && !explain) {
      throw new BadSettingsException("--html is for --explain; give that, or leave it out.");
    }
    if (top < 1) {
      throw new BadSettingsException("--top must be at least 1, got %d.", top);
    }
    if (html != null) {
      new OutputFile(html).check();
    }
  }

  private void print(Explanation explanation, PrintWriter out) {
    explanation.strongest().stream()
        .limit(top)
        .forEach(
            token ->
                out.printf(
                    Locale.ROOT,
                    "\t%+.4f\t%+.4f\t%s%n",
                    token.leftOut(),
                    token.gradient(),
                    Printable.line(token.piece())));
  }

  private static void put(Explanation explanation, ObjectNode prediction) {
    ObjectNode node = prediction.putObject("explanation");
    node.put("label", explanation.label()).put("logit", explanation.logit());
    ArrayNode tokens = node.putArray("tokens");
    for (Explanation.Token token : explanation.tokens()) {
      ObjectNode one = tokens.addObject().put("token", token.piece()).put("text", token.text());
      one.put("begin", token.begin()).put("end", token.end()).put("gradient", token.gradient());
      if (token.text() >= 0) {
        one.put("left_out", token.leftOut());
      }
    }
  }

  private void writePage(List<Example> rows, List<Explanation> explanations) {
    if (html == null) {
      return;
    }
    ExplanationPage page = new ExplanationPage();
    for (int i = 0; i < rows.size(); i++) {
      page.add(rows.get(i), explanations.get(i));
    }
    new OutputFile(html).write(out -> out.write(page.html().getBytes(UTF_8)));
  }

  private List<Prediction> predict(TextModel trained, List<Example> rows) {
    trained.setLongTexts(longTexts.over(trained.longTexts(), maxLength));
    if (trained.labels().task() != Objectives.QUESTION_ANSWERING) {
      return trained.predictRows(rows);
    }
    longTexts.checkAbsent("qa");
    try (AnswerModel answers = new AnswerModel(trained)) {
      return answers.answer(rows);
    }
  }

  private static String line(Prediction prediction, Objective task) {
    if (task == Objectives.QUESTION_ANSWERING) {
      return prediction.labels().isEmpty() ? NO_ANSWER : Printable.line(prediction.labels().get(0));
    }
    if (prediction.scores().isEmpty()) {
      return prediction.labels().stream()
          .map(label -> label.isEmpty() ? NO_TAG : Printable.line(label))
          .collect(Collectors.joining(" "));
    }
    if (!task.areClasses() && prediction.scores().size() == 1) {
      return number(prediction.scores().values().iterator().next());
    }
    Collection<String> shown =
        !task.areClasses() ? prediction.scores().keySet() : prediction.labels();
    return shown.stream()
        .map(label -> Printable.line(label) + "\t" + number(prediction.scores().get(label)))
        .collect(Collectors.joining("\t"));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
