package org.tokentune.cli;

import org.tokentune.BadInputException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code tokentune} command. */
@Command(
    name = "tokentune",
    description = "Fine-tunes transformers on the JVM, with gradients through selected tokens.",
    mixinStandardHelpOptions = true,
    version = "TokenTune 0.1.0-SNAPSHOT",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainCommand.class,
      MemoryCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      FillCommand.class,
      EmbedCommand.class,
      GenerateCommand.class,
      ParityCommand.class,
      ZooCommand.class,
      BenchCommand.class
    })
public final class TokenTune {

  private TokenTune() {}

  /** Exits with 0, with 1 for bad input or a failed check, with 2 for wrong usage. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /** The command and all below it. */
  static CommandLine commands() {
    return new CommandLine(new TokenTune());
  }

  static int run(String... arguments) {
    return commands()
        .setParameterExceptionHandler(
            (exception, given) -> {
              CommandLine command = exception.getCommandLine();
              command
                  .getErr()
                  .printf(
                      "%s%nSee %s --help.%n",
                      exception.getMessage(), command.getCommandSpec().qualifiedName());
              return command.getCommandSpec().exitCodeOnInvalidInput();
            })
        .setExecutionExceptionHandler(
            (exception, command, parsed) -> {
              if (exception instanceof BadInputException) {
                command.getErr().println(exception.getMessage());
                return 1;
              }
              throw exception;
            })
        .execute(arguments);
  }
}
