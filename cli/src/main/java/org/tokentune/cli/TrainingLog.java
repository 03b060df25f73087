package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.files.WholeFile;
import org.tokentune.train.EvaluationResult;
import org.tokentune.train.FineTuningListener;
import org.tokentune.train.StepReport;
import org.tokentune.train.Trainer;

/** The log of a training: a JSON object per line, whose fields docs/json.md lists. */
final class TrainingLog implements FineTuningListener, AutoCloseable {

  private final Path path;
  private final boolean continued;
  private final ObjectNode begin;
  private final List<String> labels;
  private final long start = System.nanoTime();

  /** Null before the first line: a training that fails at once leaves no log. */
  private RandomAccessFile file;

  /**
   * @param continued whether existing lines are kept, except for an incomplete last line
   * @param begin the first line's fields
   * @param labels names of the labels
   */
  TrainingLog(Path path, boolean continued, ObjectNode begin, List<String> labels) {
    this.path = path;
    this.continued = continued;
    this.begin = begin;
    this.labels = labels;
  }

  private void open() throws IOException {
    file = new RandomAccessFile(path.toFile(), "rw");
    if (!WholeFile.isSpecial(path)) {
      seekEnd();
    }
    ObjectNode first = event("begin");
    first.setAll(begin);
    append(first);
  }

  private void seekEnd() throws IOException {
    long length = continued ? file.length() : 0;
    while (length > 0 && byteAt(file, length - 1) != '\n') {
      length--;
    }
    file.setLength(length);
    file.seek(length);
  }

  private static int byteAt(RandomAccessFile file, long position) throws IOException {
    file.seek(position);
    return file.read();
  }

  private ObjectNode event(String name) {
    return JsonOption.object()
        .put("event", name)
        .put("seconds", Math.round((System.nanoTime() - start) / 1e6) / 1e3);
  }

  private void write(ObjectNode event) {
    try {
      if (file == null) {
        open();
      }
      append(event);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void append(ObjectNode event) throws IOException {
    file.write((event + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private BadInputException failed(IOException cause) {
    return new BadFileException(
        cause,
        "The log %s cannot be written (%s); check free space and permissions, or name another --log.",
        path,
        cause.getMessage());
  }

  @Override
  public void onResume(int step) {
    write(event("resume").put("step", step));
  }

  @Override
  public void onStep(StepReport step) {
    ObjectNode event = event("step").put("step", step.step()).put("epoch", step.epoch());
    event.put("loss", step.loss()).put("learning_rate", step.learningRate());
    event.put("tokens", step.tokens());
    step.metrics().forEach((metric, value) -> event.put(ScoresReport.field(metric), value));
    if (!step.broken().isEmpty()) {
      step.broken().forEach(event.putArray("broken_rows")::add);
    }
    write(event);
  }

  @Override
  public void onEvaluation(EvaluationResult evaluation) {
    ObjectNode event = event("evaluation");
    write(put(event, evaluation, labels));
  }

  /** Adds an evaluation's fields. */
  static ObjectNode put(ObjectNode node, EvaluationResult evaluation, List<String> labels) {
    node.put("epoch", evaluation.epoch()).put("step", evaluation.step());
    node.put("train_loss", evaluation.trainLoss());
    ScoresReport.put(node.putObject("validation"), evaluation.scores(), labels);
    return node;
  }

  /** Records the end. */
  void end(Trainer.Outcome outcome) {
    ObjectNode event = event("end").put("steps", outcome.steps());
    event.put("best_step", outcome.bestStep()).put("stopped", outcome.stopped());
    write(event.put("ended_early", outcome.early()).put("skipped_steps", outcome.skipped()));
  }

  /** Records the error that ended the training. */
  void failed(BadInputException cause) {
    if (file != null) {
      try {
        append(event("error").put("message", cause.getMessage()));
      } catch (IOException e) {
        // The disk may be full; the cause itself is being thrown.
      }
    }
  }

  @Override
  public void close() {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        throw failed(e);
      }
    }
  }
}
