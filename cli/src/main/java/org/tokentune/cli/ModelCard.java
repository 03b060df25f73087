package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.objectives.Scores;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.Trainer;

/**
 * The README.md of a tuned model, as hubs show it. Its licence is left open: that of the base and
 * of the data decide it.
 *
 * @param base the base model's name
 * @param onOneFile whether it is adapters on a base that is not a Hugging Face folder
 * @param rows how many there are of which
 * @param arguments of the command
 * @param version of this project
 */
record ModelCard(
    String base,
    boolean onOneFile,
    String data,
    String task,
    String rows,
    List<String> arguments,
    String version) {

  private static final String FILE = "README.md";

  private static final String ONE_FILE =
      "These are adapters for PEFT. They were trained on a file that transformers does not load as a"
          + " folder: in Python, put them on a Hugging Face folder with the same weights.";

  /** Writes it into the model's folder. */
  void write(Path folder, Trainer.Outcome outcome, String scored, Scores scores) {
    String text = text(folder, outcome, scored, scores);
    new OutputFile(folder.resolve(FILE))
        .write(out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private String text(Path folder, Trainer.Outcome outcome, String scored, Scores scores) {
    StringBuilder text = new StringBuilder();
    text.append("---\n# license: to be filled in; the base model's and the data's decide it\n");
    text.append("base_model: ")
        .append(TextNode.valueOf(base))
        .append("\ntags:\n- tokentune\n---\n");
    text.append("# ").append(folder.toAbsolutePath().normalize().getFileName()).append("\n\n");
    text.append("`").append(base).append("`, fine-tuned by TokenTune for Deeplearning4j.\n\n");
    if (onOneFile) {
      text.append(ONE_FILE).append("\n\n");
    }
    text.append("| | |\n|---|---|\n");
    row(text, "data", "`" + data + "`: " + rows);
    row(text, "task", task);
    row(text, "versions", versions());
    row(text, "licence", "to be filled in: the base model's and the data's decide it");
    text.append("\n```\ntokentune");
    arguments.forEach(argument -> text.append(' ').append(quoted(argument)));
    text.append(
        String.format(
            Locale.ROOT,
            "\n```\n\n%s.\n\n",
            scores == null ? "Not scored" : scored + ": " + ScoresReport.line(scores)));
    text.append(
        String.format(
            Locale.ROOT,
            "%d steps; the weights are those after step %d.%n%n",
            outcome.steps(),
            outcome.bestStep()));
    if (outcome.evaluations().isEmpty()) {
      return text.toString();
    }
    text.append("| epoch | step | training loss | validation |\n|---|---|---|---|\n");
    for (EvaluationResult evaluation : outcome.evaluations()) {
      text.append(
          String.format(
              Locale.ROOT,
              "| %d | %d | %.4f | %s |\n",
              evaluation.epoch(),
              evaluation.step(),
              evaluation.trainLoss(),
              ScoresReport.line(evaluation.scores())));
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String name, String value) {
    text.append("| ").append(name).append(" | ").append(value.replace("|", "\\|")).append(" |\n");
  }

  private String versions() {
    return String.format(
        Locale.ROOT,
        "%s, ND4J %s on %s, Java %s",
        version,
        nd4jVersion(),
        Nd4j.getBackend().getClass().getSimpleName(),
        Runtime.version());
  }

  /** As its artifact's Maven files say it. */
  private static String nd4jVersion() {
    Properties artifact = new Properties();
    try (InputStream file =
        Nd4j.class.getResourceAsStream("/META-INF/maven/org.nd4j/nd4j-api/pom.properties")) {
      if (file != null) {
        artifact.load(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return artifact.getProperty("version", "of an unknown version");
  }

  private static String quoted(String argument) {
    return argument.matches("[\\w./,:=%+@-]+")
        ? argument
        : "'" + argument.replace("'", "'\\''") + "'";
  }
}
