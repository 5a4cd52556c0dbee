namespace Runtime.Local;

/// <summary>One process per folder of state: two would overwrite each other's.</summary>
static class FolderClaim
{
    /// <summary>Makes the folder and holds it until disposed; null when another process holds it.</summary>
    public static FileStream? Of(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static string IsTaken(string folder) =>
        $"Another process is using {folder}. Stop it, or choose another folder with --data.";
}
