@echo off
rem Runs the tokentune command; builds it first where it is missing or older than its sources.
setlocal EnableExtensions DisableDelayedExpansion
set "tokentune_home=%~dp0"
set "tokentune_home=%tokentune_home:~0,-1%"
set "tokentune_classpath=%tokentune_home%\cli\target\classpath"
where /q powershell.exe || (echo tokentune.cmd needs PowerShell, which finds out whether to build.>&2& exit /b 1)
rem Exits with 1 where a source or pom.xml is newer than the class path, or that does not exist.
powershell.exe -NoProfile -NonInteractive -Command ^
  "$built = Get-Item -LiteralPath $env:tokentune_classpath -ErrorAction SilentlyContinue;" ^
  "if (-not $built) { exit 1 };" ^
  "$newer = Get-ChildItem -LiteralPath $env:tokentune_home -Recurse -File -Include *.java, pom.xml -ErrorAction SilentlyContinue |" ^
  "  Where-Object { $_.FullName -notmatch '\\target\\' -and $_.LastWriteTimeUtc -gt $built.LastWriteTimeUtc } |" ^
  "  Select-Object -First 1;" ^
  "if ($newer) { exit 1 }"
if not errorlevel 1 goto run

echo Building tokentune (the first time it takes some minutes) ...>&2
set "tokentune_maven=mvn"
where /q mvn || set "tokentune_maven=%tokentune_home%\mvnw.cmd"
rem One line per module and large download instead of Maven's log; no escape codes.
powershell.exe -NoProfile -NonInteractive -Command ^
  "& $env:tokentune_maven -B '-Dstyle.color=never' -f ($env:tokentune_home + '\pom.xml') -DskipTests '-Dmaven.test.skip=true' -pl cli -am package 2>&1 |" ^
  "  Where-Object { $_ -match '^\[INFO\] (Building [^j]|Downloaded .* MB at )|^\[ERROR\]' } |" ^
  "  ForEach-Object { [Console]::Error.WriteLine($_) };" ^
  "exit $LASTEXITCODE"
if errorlevel 1 exit /b 1
rem Maven leaves an unchanged one as old as it was.
powershell.exe -NoProfile -NonInteractive -Command "(Get-Item -LiteralPath $env:tokentune_classpath).LastWriteTimeUtc = [DateTime]::UtcNow"

:run
rem Threads of OpenMP that wait by spinning would take the processor from the kernels in Java.
if not defined OMP_WAIT_POLICY set "OMP_WAIT_POLICY=passive"
rem The class path is longer than a line of cmd may be, so java reads it from a file of arguments.
set "tokentune_arguments=%TEMP%\tokentune-%RANDOM%%RANDOM%.args"
powershell.exe -NoProfile -NonInteractive -Command ^
  "$path = ($env:tokentune_home + '\cli\target\classes;' + (Get-Content -Raw -LiteralPath $env:tokentune_classpath).Trim()).Replace('\', '/');" ^
  "$encoding = New-Object System.Text.UTF8Encoding $false;" ^
  "[IO.File]::WriteAllText($env:tokentune_arguments, '-cp ' + [char]34 + $path + [char]34, $encoding)"
if errorlevel 1 exit /b 1
rem Quantised weights are read in vectors where text is generated. Java announces the module in a line of its own.
set "tokentune_vectors="
for %%c in (generate chat serve) do if "%~1"=="%%c" set "tokentune_vectors=--add-modules jdk.incubator.vector"
java %tokentune_vectors% %TOKENTUNE_JAVA_OPTIONS% --enable-native-access=ALL-UNNAMED -Dai.djl.offline=true -Djdk.console=java.base -Djava.awt.headless=true ^
  @"%tokentune_arguments%" org.tokentune.cli.TokenTune %*
set "tokentune_code=%errorlevel%"
del "%tokentune_arguments%" 2>nul
exit /b %tokentune_code%
