#include "config.h"

#include <locale.h>
#include <stdio.h>

int main(void)
{
    setlocale(LC_CTYPE, "");
    puts("tailor " PACKAGE_VERSION);
    return 0;
}
