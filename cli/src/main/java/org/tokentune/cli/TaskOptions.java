package org.tokentune.cli;

import org.tokentune.BadSettingsException;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.models.Pooling;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for what a model learns. */
final class TaskOptions {

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "classify",
      converter = Task.Converter.class,
      completionCandidates = Task.Names.class,
      description = {
        "classify: one class for a text; multilabel: any of several; regress: a number;",
        "token: a tag for every word; qa: answers to questions as parts of a text (SQuAD's .json, or",
        "rows with question, context, answer, answer_start); embed: vectors of texts (columns in order:",
        "anchor, positive, negatives; or two texts and a score); for decoders lm: the next token of",
        "plain text, or of the texts in a file of rows (--text); instruct: answers to instructions (rows",
        "with instruction, input, output). Default ${DEFAULT-VALUE}."
      })
  private Task task;

  @Option(
      names = "--template",
      paramLabel = "alpaca|chatml|plain",
      defaultValue = "alpaca",
      description = "How instructions are written; default ${DEFAULT-VALUE}.")
  private String template;

  @Option(
      names = "--pooling",
      paramLabel = "first|mean",
      defaultValue = "first",
      description = {
        "The head reads a text's position 0, or the mean of its tokens (in training, of the selected",
        "ones). Default ${DEFAULT-VALUE}."
      })
  private Pooling pooling;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** Takes the task that a task of GLUE implies. */
  void take(GlueTask glue) {
    Task own = Task.of(glue.labels().task());
    if (!task.equals(own) && command.commandLine().getParseResult().hasMatchedOption("--task")) {
      throw new BadSettingsException(
          "%s is %s, not %s; leave --task out.", glue.name(), own.name(), task.name());
    }
    task = own;
  }

  Task task() {
    return task;
  }

  PromptTemplate prompts() {
    return PromptTemplate.named(template);
  }

  Pooling pooling() {
    return pooling;
  }
}
